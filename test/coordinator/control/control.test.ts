import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { StepBoundaryRequests } from '../../../coordinator/stepping/step-boundary.js';
import { RunControl, type Scaler } from '../../../coordinator/control/control.js';
import { checkPoints, checkWorkers } from '../../../coordinator/control/control-service.js';
import type { JobSpec } from '../../../job/spec.js';
import { within } from '../../proto/wire.js';
import { reference, start, worker } from '../trainer-rig.js';

/** A run with its control, and a worker that reports when it is given a step. */
async function controlled(scaler?: Scaler, change: Partial<JobSpec> = {}) {
  const saved: number[] = [];
  const saveNow = ({ step }: { readonly step: number }) => {
    saved.push(step);
    return Promise.resolve(`step-${step}`);
  };
  const run = await start(1, 20_000, 'strict', change, {
    saver: { saveNow, atBoundary: () => undefined, lastPath: undefined },
  });
  const { trainer, address } = run;
  const control = new RunControl({ trainer, stop: (reason) => trainer.stop(reason), scaler: () => scaler });
  const result = trainer.run();
  result.catch(() => undefined);
  return { ...run, control, result, saved, join: (onStep: (step: number) => void) => join(address, onStep) };
}

/** @param onStep - called before each step is computed. */
function join(address: string, onStep: (step: number) => void) {
  return worker(address, 'w1', { skip: (_, step) => (onStep(step), false) });
}

const stopped = { code: 'REFUSED', message: 'control: expected a running job, got one that is over' };

describe('a pause', () => {
  it('takes effect after the step in progress, twice is once, and the digest is that of an undisturbed run', async () => {
    const { trainer, events, control, result, join } = await controlled();
    const pauses: ReturnType<RunControl['pause']>[] = [];
    await join((step) => step === 1 && pauses.push(control.pause()));
    await vi.waitUntil(() => pauses.length === 1, { timeout: 5_000 });
    const paused = { step: 2, state: 'paused', message: 'paused after step 2' };
    expect(await within(pauses[0]!, 'the pause')).toEqual(paused);
    expect(await within(control.pause(), 'the second pause')).toEqual(paused);
    expect(await control.resume()).toEqual({ step: 2, state: 'training', message: 'resumed after step 2' });
    expect((await within(result, 'the run')).finalDigest).toBe(reference().chains[1]);
    const states = events.flatMap((event) => (event.type === 'state' ? [event.state] : []));
    expect(states.filter((state) => state === 'paused')).toHaveLength(1);
    expect(trainer.step).toBe(4);
  });

  it('may be requested before any worker has joined, and is answered when it takes effect', async () => {
    const { trainer, control, result, join } = await controlled();
    const pause = control.pause();
    expect(trainer.state).toBe('waiting');
    await join(() => undefined);
    expect(await within(pause, 'the pause')).toEqual({ step: 0, state: 'paused', message: 'paused after step 0' });
    await control.resume();
    expect((await within(result, 'the run')).outcome).toBe('finished');
  });

  it("that has not taken effect after 8 s is answered with the run's state", async () => {
    const { trainer, control } = await controlled();
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const pause = control.pause();
    await vi.advanceTimersByTimeAsync(8_000);
    expect((await pause).message).toMatch(/^will pause after the current step \(now waiting: /);
    trainer.stop('over');
  });

  it('that is cancelled before it takes effect says so', async () => {
    const { control } = await controlled();
    const pause = control.pause();
    expect((await control.resume()).message).toBe('resumed after step 0');
    expect((await pause).message).toBe('resumed before it paused');
    expect((await control.resume()).message).toBe('was not paused');
  });

  it('outlives the loss of its only worker, and continues with another one', async () => {
    const { trainer, control, result, join, address } = await controlled();
    const pauses: unknown[] = [];
    const raw = await join((step) => step === 0 && pauses.push(control.pause()));
    await vi.waitUntil(() => trainer.state === 'paused', { timeout: 5_000 });
    raw.break();
    await control.resume();
    await vi.waitUntil(() => trainer.reason.startsWith('waiting for workers: 0 of 1'), { timeout: 5_000 });
    await worker(address, 'w2');
    expect((await within(result, 'the run')).finalDigest).toBe(reference().chains[1]);
  });

  it('is ended at once by a stop, and not by later requests', async () => {
    const { control, result, join } = await controlled();
    const pauses: unknown[] = [];
    await join((step) => step === 0 && pauses.push(control.pause()));
    await vi.waitUntil(() => pauses.length === 1, { timeout: 5_000 });
    await within(pauses[0] as Promise<unknown>, 'the pause');
    expect(control.stop().message).toContain('stopping after the current step');
    expect(await within(result, 'the end', 1_000)).toMatchObject({ outcome: 'stopped', snapshot: { step: 1 } });
    await expect(control.pause()).rejects.toMatchObject(stopped);
    await expect(control.resume()).rejects.toMatchObject(stopped);
    await expect(control.checkpoint()).rejects.toMatchObject(stopped);
  });
});

describe('a request while a run waits for workers between two steps', () => {
  it('is done at once', async () => {
    const { trainer, control, result, join, address, saved } = await controlled(undefined, { minWorkers: 2 });
    const raw = await join((step) => step === 1 && raw.break());
    await worker(address, 'w2');
    await vi.waitUntil(() => trainer.step === 2 && trainer.state === 'waiting', { timeout: 5_000 });
    expect((await within(control.checkpoint(), 'the checkpoint', 1_000)).message).toBe('checkpoint step-2');
    expect((await within(control.pause(), 'the pause', 1_000)).message).toBe('paused after step 2');
    await control.resume();
    await worker(address, 'w3');
    expect((await within(result, 'the run')).finalDigest).toBe(reference().chains[1]);
    expect(saved).toEqual([2]);
  });
});

describe('a checkpoint on demand', () => {
  it('is made while paused and while training, at a step boundary', async () => {
    const { control, result, join, saved } = await controlled();
    const asked: Promise<{ message: string }>[] = [];
    await join((step) => {
      if (step === 0) asked.push(control.checkpoint());
      if (step === 1) asked.push(control.pause());
    });
    await vi.waitUntil(() => asked.length === 2, { timeout: 5_000 });
    expect((await within(asked[0]!, 'the first checkpoint')).message).toBe('checkpoint step-1');
    await within(asked[1]!, 'the pause');
    expect(await control.checkpoint()).toEqual({ step: 2, state: 'paused', message: 'checkpoint step-2' });
    expect((await control.checkpoint()).message).toBe('checkpoint step-2');
    await control.resume();
    await within(result, 'the run');
    expect(saved).toEqual([1, 2, 2]);
  });

  it('that fails fails for everyone who requested it, and for the run', async () => {
    const requests = new StepBoundaryRequests();
    const asked = [requests.checkpoint(), requests.checkpoint()];
    const full = () => Promise.reject(new Error('disk full'));
    await expect(requests.serveCheckpoints(full)).rejects.toThrow('disk full');
    for (const each of asked) await expect(each).rejects.toThrow('disk full');
    expect(requests.pending).toBe(false);
  });
});

describe('scaling', () => {
  it('is done by the process that started the workers, and refused if there is none', async () => {
    const { control } = await controlled((workers) => Promise.resolve(`${workers} it is`));
    expect(await control.scale(3)).toMatchObject({ message: '3 it is' });
    const other = await controlled();
    await expect(other.control.scale(3)).rejects.toMatchObject({ code: 'REFUSED' });
  });
});

describe('requests with invalid values', () => {
  it.each([[-1], [1_025], [1.5], ['3'], [undefined]])('are refused: %s workers', (workers) => {
    expect(() => checkWorkers({ workers })).toThrow(/^scale: expected 0 to 1024 workers, got /);
  });

  it.each([[-1], [501], [null]])('are refused: %s points', (points) => {
    expect(() => checkPoints({ points })).toThrow(/^history: expected 0 to 500 points, got /);
  });

  it('are accepted at their limits; 0 points are all points', () => {
    expect([checkWorkers({ workers: 0 }), checkWorkers({ workers: 1_024 })]).toEqual([0, 1_024]);
    expect([checkPoints({ points: 0 }), checkPoints({ points: 500 })]).toEqual([500, 500]);
  });
});
