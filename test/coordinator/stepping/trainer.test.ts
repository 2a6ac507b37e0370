import { describe, expect, it, vi } from 'vitest';
import { stateDigest } from '../../../job/digest.js';
import { within } from '../../proto/wire.js';
import { reference, spoil, start, stepsOf, sumOf, worker } from '../trainer-rig.js';

describe('a run', () => {
  it('trains every step, evaluates after every epoch, and ends with the digest chain', async () => {
    const { trainer, events, address } = await start(1);
    const run = trainer.run();
    await worker(address, 'w1');
    const result = await within(run, 'the run');
    const { chains, snapshot } = reference();
    expect(result).toEqual({
      outcome: 'finished',
      finalDigest: chains[1],
      chain: chains[1],
      snapshot,
      lastTestRows: [
        { index: 0, logProbabilities: [-0.25, -2], predicted: 0, label: 0 },
        { index: 1, logProbabilities: [-1, -0.5], predicted: 1, label: 1 },
        { index: 2, logProbabilities: [-3, -0.125], predicted: 1, label: 1 },
      ],
    });
    expect(
      stepsOf(events).map(({ step, epoch, samples, loss, learningRate, workers }) => [
        step,
        epoch,
        samples,
        loss,
        learningRate,
        workers,
      ]),
    ).toEqual([
      [0, 1, 4, 0.5, 0.5, 1],
      [1, 1, 4, 0.5, 0.5, 1],
      [2, 2, 4, 0.5, 0.5, 1],
      [3, 2, 4, 0.5, 0.5, 1],
    ]);
    expect(events.filter(({ type }) => type === 'epoch')).toEqual([
      { type: 'epoch', epoch: 1, step: 2, digest: chains[0] },
      { type: 'epoch', epoch: 2, step: 4, digest: chains[1] },
    ]);
    expect(events.filter(({ type }) => type === 'evaluation')).toMatchObject([
      { record: { step: 2, epoch: 1, correct: 3, total: 3 } },
      { record: { step: 4, epoch: 2, loss: (0.25 + 0.5 + 0.125) / 3 } },
    ]);
    const states = events.flatMap((event) => (event.type === 'state' ? [event.reason] : []));
    expect(states.slice(-4)).toEqual(['after epoch 1', 'epoch 2', 'after epoch 2', 'all steps are done']);
  });

  it('has the same digest with two workers, and with one that dies in a step', async () => {
    const { chains } = reference();
    const two = await start(2);
    const run = two.trainer.run();
    await worker(two.address, 'a');
    await worker(two.address, 'b');
    expect((await within(run, 'the run')).finalDigest).toBe(chains[1]);
    expect(
      stepsOf(two.events)
        .map(({ workers }) => workers)
        .slice(1),
    ).toEqual([2, 2, 2]);

    const broken = await start(2);
    const other = broken.trainer.run();
    await worker(broken.address, 'a', { skip: (raw, step) => step === 1 && (raw.break(), true) });
    await worker(broken.address, 'b');
    expect((await within(other, 'the run')).finalDigest).toBe(chains[1]);
    expect(
      stepsOf(broken.events)
        .map(({ workers }) => workers)
        .slice(1),
    ).toEqual([1, 1, 1]);
  });

  it('reports what it waits for, and gives up after the limit', async () => {
    const { trainer, events, address } = await start(2, 300);
    const run = trainer.run();
    await worker(address, 'w1');
    await expect(within(run, 'the end')).rejects.toMatchObject({
      code: 'NO_WORKERS',
      message: expect.stringMatching(/^start: waiting for .*1 of 2 ready after 0 s; see the workers' logs$/) as string,
    });
    expect(events.filter(({ type }) => type === 'state')[0]).toMatchObject({ state: 'waiting' });
  });

  it('ends with the step and the shards when a loss is not finite', async () => {
    const { trainer, address } = await start(1);
    const run = trainer.run();
    await worker(address, 'w1', { lossSum: NaN });
    await expect(within(run, 'the end')).rejects.toMatchObject({
      code: 'NON_FINITE',
      message: expect.stringMatching(/^step 0: .*shards 0, 1/) as string,
    });
  });

  it('skips a step that is not finite if the spec allows that, and counts it', async () => {
    const { trainer, events, address } = await start(1, 20_000, 'strict', { onNonFinite: 'skip' });
    const run = trainer.run();
    const raw = await worker(address, 'w1', { skip: (raw, step) => step === 1 && (spoil(raw, step), true) });
    const { outcome, snapshot } = await within(run, 'the run');
    raw.break();
    expect([outcome, snapshot.step, trainer.counts.skipped]).toEqual(['finished', 4, 1]);
    expect(stepsOf(events).map(({ step }) => step)).toEqual([0, 2, 3]);
    expect(events.filter(({ type }) => type === 'skipped')).toMatchObject([
      { step: 1, reason: expect.stringMatching(/^step 1: .* in shards 0, 1 from w1/) as string },
    ]);
    // 0.5 · (2 · 0.1 · (step + 1) + 1) / 4 for steps 0, 2 and 3
    expect(snapshot.params[0]).toBeCloseTo(1 - 0.125 * (1.2 + 1.6 + 1.8), 5);
  });

  it('waits between two steps while there are fewer than minWorkers, and names the missing ones', async () => {
    const { chains } = reference();
    const { trainer, events, address } = await start(1, 20_000, 'strict', { minWorkers: 2 });
    const run = trainer.run();
    await worker(address, 'a', { skip: (raw, step) => step === 1 && (raw.break(), true) });
    await worker(address, 'b');
    const waits = () => events.flatMap((event) => (event.type === 'state' ? [event.reason] : []));
    await vi.waitUntil(() => waits().includes('waiting for workers: 1 of 2 ready; disconnected: a'), {
      timeout: 5_000,
    });
    expect([trainer.state, trainer.step]).toEqual(['waiting', 2]);
    await worker(address, 'c');
    expect((await within(run, 'the run')).finalDigest).toBe(chains[1]);
    expect(waits()).toContain('resumed with 2 workers');
  });

  it('waits for a worker when none is left in a step, and resumes that step', async () => {
    const { chains } = reference();
    const { trainer, events, address } = await start(1);
    const run = trainer.run();
    await worker(address, 'a', { skip: (raw, step) => step === 1 && (raw.break(), true) });
    await vi.waitUntil(() => trainer.reason === 'waiting for workers: 0 of 1 ready; disconnected: a', {
      timeout: 5_000,
    });
    expect([trainer.state, trainer.step]).toEqual(['waiting', 1]);
    await worker(address, 'b');
    expect((await within(run, 'the run')).finalDigest).toBe(chains[1]);
    expect(events).toContainEqual({ type: 'state', state: 'training', reason: 'resumed at step 1' });
  });

  it('ends with the error passed to fail', async () => {
    const { trainer } = await start(1);
    const run = trainer.run();
    trainer.fail(new Error('all workers are gone'));
    await expect(within(run, 'the end')).rejects.toThrow('all workers are gone');
  });
});

describe('a run that is stopped', () => {
  it('while it waits for workers ends at once, with the initial state', async () => {
    const { trainer, events } = await start(1);
    const run = trainer.run();
    trainer.stop('SIGINT');
    const { outcome, snapshot, finalDigest } = await within(run, 'the end');
    expect([outcome, snapshot.step, [...snapshot.params]]).toEqual(['stopped', 0, [1, 2, 3]]);
    expect(finalDigest).toBe(stateDigest(snapshot));
    expect(stepsOf(events)).toEqual([]);
  });

  it('ends after the step in progress', async () => {
    const { trainer, events, address } = await start(1);
    const run = trainer.run();
    await worker(address, 'w1', { skip: (_, step) => (step === 1 && trainer.stop('SIGINT'), false) });
    const { outcome, snapshot } = await within(run, 'the end');
    expect([outcome, snapshot.step]).toEqual(['stopped', 2]);
    expect(stepsOf(events)).toHaveLength(2);
  });

  it("does not wait for a hanging step, and a late result of it doesn't count", async () => {
    const { trainer, events, address } = await start(1);
    const run = trainer.run();
    const raw = await worker(address, 'w1', { skip: (_, step) => step === 1 && (trainer.stop('SIGINT'), true) });
    const { outcome, snapshot, finalDigest } = await within(run, 'the end');
    expect([outcome, snapshot.step]).toEqual(['stopped', 1]);
    expect(finalDigest).toBe(stateDigest(snapshot));
    const known = events.length;
    const root = { first: 0, count: 2 };
    raw.partial({ step: 1, node: root, samples: [2, 2] }, sumOf(root, 1));
    raw.send({ leaving: { reason: 'x' } });
    await raw.ended;
    expect(events.slice(known)).toMatchObject([{ type: 'worker', change: 'left' }]);
    expect(trainer.step).toBe(1);
  });
});
