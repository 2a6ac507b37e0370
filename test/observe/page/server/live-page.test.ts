import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Coordinator } from '../../../../coordinator/coordinator.js';
import { type RunEvent, RunEvents } from '../../../../coordinator/state/events.js';
import type { LivePage as LivePageClass } from '../../../../observe/page/server/live-page.js';
import { within } from '../../../proto/wire.js';
import { built } from '../../../coordinator/built.js';
import { sampleRun } from '../../sample-run.js';

const scratch = mkdtempSync(join(tmpdir(), 'lockstep-page-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('loading the page', () => {
  /** A page that counts how often it was loaded. */
  async function open() {
    const { LivePage } = await built<{ LivePage: typeof LivePageClass }>('observe/page/server/live-page.js');
    const { view, status } = sampleRun(scratch);
    const page = (await LivePage.open({ http: '0' }))!;
    onTestFinished(() => page.close());
    const events = new RunEvents();
    let loads = 0;
    let wake!: () => void;
    const loaded = new Promise<void>((resolve) => (wake = resolve));
    const routes = () => {
      loads++;
      wake();
      return Promise.resolve([]);
    };
    const coordinator = { events, view: () => Promise.resolve(view), status } as unknown as Coordinator;
    page.serve(coordinator, { onError: (error) => expect(error).toBeUndefined(), routes });
    await new Promise(setImmediate);
    return { page, events, loaded, loads: () => loads };
  }

  it('waits for the first step, which needs all cores', async () => {
    const { events, loaded, loads } = await open();
    events.emit({ type: 'worker', change: 'ready', workerId: 'w', reason: '' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(loads()).toBe(0);
    const timing = { type: 'timing' } as unknown as RunEvent;
    events.emit(timing);
    events.emit(timing);
    await within(loaded, 'the page to be loaded');
    expect(loads()).toBe(1);
  });

  it('does not wait when a client requests it', async () => {
    const { page, loads } = await open();
    const answers = await Promise.all([1, 2].map(() => fetch(`${page.address}api/run`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(loads()).toBe(1);
  });
});
