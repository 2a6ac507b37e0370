import { expect, it, onTestFinished, vi } from 'vitest';
import { reportDropped } from '../../../transport/admission/report-dropped.js';

it('reports once a minute how many connections were dropped, if there were many', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const dropped = { count: 0, address: '10.0.0.7' };
  const notes: string[] = [];
  const end = reportDropped(
    '--listen',
    () => dropped,
    (message) => notes.push(message),
  );
  for (const more of [15, 16, 0, 2_000]) {
    dropped.count += more;
    vi.advanceTimersByTime(60_000);
  }
  const note = (count: number) =>
    `--listen: expected connections to authenticate, got ${count} dropped in the last minute, ` +
    "the latest from 10.0.0.7; the run isn't affected";
  expect(notes).toEqual([note(16), note(2_000)]);
  end();
  expect(vi.getTimerCount()).toBe(0);
});
