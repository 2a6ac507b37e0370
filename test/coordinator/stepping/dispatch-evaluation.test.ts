import { describe, expect, it } from 'vitest';
import { within } from '../../proto/wire.js';
import { smallManifest } from '../manifest.js';
import { withCrc } from '../raw-worker.js';
import { Rig } from '../rig.js';

describe('an evaluation', () => {
  const rows = (...of: number[]) => Buffer.from(Float32Array.from(of).buffer);

  it('puts the rows of two workers into the order of the test set', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a, b] = await rig.workers('a', 'b');
    const { done } = rig.evaluate(4);
    expect((await a!.next('evaluate')).evaluate).toEqual({ term: 1, step: 4, batches: [0] });
    expect((await b!.next('evaluate')).evaluate).toEqual({ term: 1, step: 4, batches: [1] });
    const { parameters } = await a!.next('parameters');
    expect(parameters).toMatchObject({ step: 4, evaluation: true });
    expect(parameters.data.byteLength).toBe(4 * 4);
    b!.send({ rows: { term: 1, step: 4, batch: 1, ...withCrc(rows(5, 6)) } });
    b!.send({ rows: { term: 1, step: 4, batch: 1, ...withCrc(rows(-5, -6)) } });
    a!.send({ rows: { term: 1, step: 3, batch: 0, ...withCrc(rows(-1, -2, -3, -4)) } });
    a!.send({ rows: { term: 1, step: 4, batch: 0, ...withCrc(rows(1, 2, 3, 4)) } });
    expect([...(await within(done, 'the rows'))]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('whose only worker leaves waits for the next one, says so, and is computed by it', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a] = await rig.workers('a');
    const { done } = rig.evaluate(4);
    await a!.next('evaluate');
    a!.send({ rows: { term: 1, step: 4, batch: 1, ...withCrc(rows(5, 6)) } });
    await rig.until(() => rig.missing() === 1, 'one batch missing');
    a!.break();
    await rig.changed('a', 'lost');
    const b = rig.worker('b');
    b.hello();
    await b.next('welcome');
    b.ready();
    expect((await b.next('evaluate')).evaluate).toEqual({ term: 1, step: 4, batches: [0] });
    b.send({ rows: { term: 1, step: 4, batch: 0, ...withCrc(rows(1, 2, 3, 4)) } });
    expect([...(await within(done, 'the rows'))]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(rig.stuck).toEqual([
      'waiting for workers: 0 of 1 ready; disconnected: a',
      'waiting for workers: 0 of 1 ready; compiling: b; disconnected: a',
      undefined,
    ]);
  });

  it('begins with the first ready worker if there is none at its start', async () => {
    const rig = await Rig.start(smallManifest(3));
    const { done } = rig.evaluate(4);
    expect(rig.stuck).toEqual(['waiting for workers: 0 of 1 ready']);
    const [a] = await rig.workers('a');
    expect((await a!.next('evaluate')).evaluate.batches).toEqual([0, 1]);
    a!.send({ rows: { term: 1, step: 4, batch: 0, ...withCrc(rows(1, 2, 3, 4)) } });
    a!.send({ rows: { term: 1, step: 4, batch: 1, ...withCrc(rows(5, 6)) } });
    expect([...(await within(done, 'the rows'))]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each([
    ['rows that are too short', 0, rows(1, 2), /expected batch 0\.\.1 with 16 bytes, got batch 0 with 8 bytes/],
    ['rows of a batch that does not exist', 2, rows(1, 2), /expected batch 0\.\.1 .*got batch 2 with 8 bytes/],
    ['no rows', 1, rows(), /with 8 bytes, got batch 1 with 0 bytes/],
  ])('refuses %s, and has another worker compute the batch', async (_, batch, data, message) => {
    const rig = await Rig.start(smallManifest(3));
    const [a, b] = await rig.workers('a', 'b');
    const { done } = rig.evaluate(4);
    await a!.next('evaluate');
    await b!.next('evaluate');
    a!.send({ rows: { term: 1, step: 4, batch, ...withCrc(data) } });
    const error = await within(a!.ended, 'the end of a');
    expect(error).toMatchObject({ code: 'BAD_MESSAGE' });
    expect(error!.message).toMatch(message);
    expect((await b!.next('evaluate')).evaluate.batches).toEqual([0]);
    b!.send({ rows: { term: 1, step: 4, batch: 0, ...withCrc(rows(1, 2, 3, 4)) } });
    b!.send({ rows: { term: 1, step: 4, batch: 1, ...withCrc(rows(5, 6)) } });
    expect([...(await within(done, 'the rows'))]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('has a worker fetch the data of its batches, even when a new plan assigns it to another', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [a, b] = await rig.workers('a', 'b');
    rig.evaluate(4);
    expect((await b!.next('evaluate')).evaluate.batches).toEqual([1]);
    await rig.workers('c');
    a!.break();
    await rig.changed('a', 'lost');
    expect((await b!.next('evaluate')).evaluate.batches).toEqual([0]);
    const told = b!.received.filter((m) => m.message === 'assignment').map((m) => m.assignment.evaluationBatches);
    expect(told.at(-1)!.toSorted()).toEqual([0, 1]);
  });
});
