import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { decodeCheckpoint, fillVector, type StateLayout } from '../../../run/checkpoint/checkpoint-file.js';
import type * as CheckpointsModule from '../../../coordinator/persistence/checkpoints.js';
import { type RunEvent, RunEvents } from '../../../coordinator/state/events.js';
import { within } from '../../proto/wire.js';
import { built } from '../built.js';

const { Checkpoints } = await built<typeof CheckpointsModule>('coordinator/persistence/checkpoints.js');

const layout: StateLayout = {
  model: { parameters: [{ name: 'w', shape: [3], offset: 0, size: 3 }], parameterCount: 3, state: [], stateCount: 0 },
  slots: ['momentum'],
};
const job = 'ab'.repeat(32);
const stateAt = (step: number) => ({
  step,
  params: Float32Array.of(step, step + 0.5, -step),
  slots: [{ name: 'momentum', values: Float32Array.of(1, 2, step) }],
  state: new Float32Array(0),
});
const nameOf = (step: number) => `step-${String(step).padStart(8, '0')}.safetensors`;

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'lockstep-checkpoints-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
});

/** Checkpoints of an epoch of ten steps, due every two; each write waits for `flush`. */
function start(flush: () => Promise<void> = () => Promise.resolve()) {
  const events: RunEvent[] = [];
  const errors: Error[] = [];
  const bus = new RunEvents();
  bus.subscribe((event) => events.push(event));
  const checkpoints = new Checkpoints({
    path,
    layout,
    job,
    stepsPerEpoch: 10,
    everySteps: 2,
    present: [],
    flushRecords: flush,
    evaluations: () => [],
    events: bus,
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => checkpoints.close());
  /** The trainer's call after `step` updates. */
  const border = (step: number) =>
    checkpoints.atBoundary({ step, chain: 'cd'.repeat(32) }, (into) => {
      fillVector(into, stateAt(step));
      return Promise.resolve(1.5);
    });
  return { checkpoints, events, errors, border };
}

const read = (step: number) => decodeCheckpoint(layout, { job, step }, readFileSync(join(path, nameOf(step))));

describe('the checkpoints of a run', () => {
  it('are written during training, one at a time; one that is due meanwhile is skipped and reported', async () => {
    let go = () => undefined as void;
    const { checkpoints, events, border } = start(() => new Promise<void>((resolve) => (go = resolve)));
    expect([border(1), border(2), border(3), border(4)]).toEqual([undefined, undefined, undefined, undefined]);
    await Promise.resolve();
    go();
    await within(checkpoints.save(stateAt(2), ''), 'the first');
    expect(events).toEqual([
      { type: 'note', message: 'checkpoint of step 4 skipped: that of step 2 is still being written' },
      {
        type: 'checkpoint',
        step: 2,
        path: join(path, nameOf(2)),
        durationMs: expect.any(Number) as number,
        blockedMs: 1.5,
      },
    ]);
    expect(readdirSync(path)).toEqual([nameOf(2)]);
    expect(read(2)).toEqual({ state: stateAt(2), chain: 'cd'.repeat(32) });
    expect(checkpoints.lastPath).toBe(join(path, nameOf(2)));
  });

  it("wait for each other at an epoch's end, so that it is never skipped", async () => {
    const waiting: (() => void)[] = [];
    const { checkpoints, border } = start(() => new Promise<void>((resolve) => waiting.push(resolve)));
    expect(border(8)).toBeUndefined();
    const busy = border(10);
    expect(busy).toBeInstanceOf(Promise);
    await Promise.resolve();
    waiting.shift()!();
    await within(busy!, 'the one before');
    await Promise.resolve();
    waiting.shift()!();
    await within(checkpoints.save(stateAt(10), ''), 'the end');
    expect(readdirSync(path)).toEqual([nameOf(8), nameOf(10)]);
    expect(read(8).state).toEqual(stateAt(8));
    expect(read(10).state).toEqual(stateAt(10));
  });

  it('keep the first and the last two', async () => {
    const { checkpoints } = start();
    for (const step of [0, 2, 4, 6]) await within(checkpoints.save(stateAt(step), job), `step ${step}`);
    expect(readdirSync(path)).toEqual([nameOf(0), nameOf(4), nameOf(6)]);
  });

  it("that can't be written end the run, and the older ones stay intact", async () => {
    const { checkpoints, errors, border } = start();
    await within(checkpoints.save(stateAt(0), job), 'the first');
    mkdirSync(join(path, nameOf(2), 'in the way'), { recursive: true });
    expect(border(2)).toBeUndefined();
    await expect(within(checkpoints.save(stateAt(3), job), 'an error')).rejects.toThrow(
      /^run directory: expected to write .*step-00000002\.safetensors, got EISDIR.*; make room on that disk/,
    );
    expect(errors).toMatchObject([{ code: 'BAD_RUN_DIRECTORY' }]);
    expect(read(0)).toEqual({ state: stateAt(0), chain: job });
    expect(readdirSync(path)).toEqual([nameOf(0), nameOf(2)]);
  });
});
