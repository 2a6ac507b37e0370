import { describe, expect, it } from 'vitest';
import type { LocalCompute } from '../../../transport/local/channel.js';
import type { SharedVector } from '../../../transport/local/shared-file.js';
import { channelPair } from './channel-pair.js';
import { smallManifest } from '../../coordinator/manifest.js';
import { leaf, nextCompute, Rig, samples, values } from '../../coordinator/rig.js';
import type { WorkerChannel } from '../../../transport/local/worker-end.js';
import { within } from '../../proto/wire.js';

/** Gives the coordinator a channel to a worker. @returns the worker's end, and the messages that arrive there. */
async function connected(rig: Rig, workerId: string): Promise<{ messages: LocalCompute[]; channel: WorkerChannel }> {
  const { coordinator, worker: channel } = await channelPair();
  rig.localTransports.add(workerId, coordinator);
  channel.file.open(rig.params.length);
  const messages: LocalCompute[] = [];
  channel.listen((message) => messages.push(message));
  return { messages, channel };
}

/** Answers to a Compute message for one shard, as a worker's engine thread does. */
function answer(channel: WorkerChannel, { compute }: LocalCompute, gradient: Float32Array): void {
  const [node] = compute.nodes;
  const statistics = new Uint8Array(new Float32Array(1).fill(1).buffer);
  const report = { shard: node!.first, samples: 2, lossSum: 1, correct: 0, statistics, computeMs: 1 };
  const { term, step } = compute;
  channel.send({ term, step, node: node!, gradient: channel.file.put(gradient)!, reports: [report] });
}

describe('a coordinator', () => {
  it('sends steps to one of two workers by a local transport, and takes its results there, also when it rejoins', async () => {
    const rig = await Rig.start(smallManifest(3));
    const { messages, channel } = await connected(rig, 'a');
    for (const step of [0, 1]) {
      const [a, b] = await rig.workers('a', 'b');
      const before = rig.params.slice();
      const { done } = rig.step(step);
      await nextCompute(b!, step);
      await rig.until(() => messages.length === step + 1, 'an order');
      const { compute, parameters } = messages[step]!;
      expect(compute).toMatchObject({ step, nodes: [leaf(0)] });
      const taken = new Float32Array(before.length);
      channel.file.take(parameters!, taken, 'test');
      expect(taken).toEqual(before);
      expect((await b!.next('parameters')).parameters.data).toEqual(Buffer.from(before.buffer));
      answer(channel, messages[step]!, values(4));
      b!.partial({ step, node: leaf(1), samples }, values(8));
      expect(await within(done, 'the step')).toMatchObject({ kind: 'committed' });
      // 1 − 0.5 · (8 + 4) / 4 samples
      expect([...rig.params]).toEqual([...before.map((value) => value - 1.5)]);
      for (const worker of [a!, b!]) worker.end();
      for (const workerId of ['a', 'b']) await rig.until(() => !rig.roster.get(workerId), 'the end of a session');
      expect(a!.received.map(({ message }) => message)).not.toContain('compute');
    }
    expect(rig.reasonOf('a', 'lost')).toBe('its connection ended');
  });

  it('ignores results of a worker that has not reported its engine', async () => {
    const rig = await Rig.start(smallManifest(3));
    const { channel } = await connected(rig, 'a');
    const a = rig.worker('a');
    a.hello();
    await a.next('welcome');
    const compute = { term: 1, step: 0, generation: 1, nodes: [leaf(0)], threads: [] };
    answer(channel, { compute, parameters: undefined }, values(4));
    a.ready();
    await rig.until(() => rig.roster.get('a')?.ready !== undefined, 'a ready worker');
    expect(rig.roster.get('a')!.traffic.received.gradients).toBe(0);
  });

  it('frees the space of results from a lost worker, so that it can deliver again once it has rejoined', async () => {
    const rig = await Rig.start(smallManifest(3));
    const { messages, channel } = await connected(rig, 'a');
    /** Delivers the whole step once there is room for its gradient. */
    const deliver = async (order: LocalCompute) => {
      let gradient: SharedVector | undefined;
      await rig.until(() => (gradient = channel.file.put(values(4))) !== undefined, 'room');
      const statistics = new Uint8Array(4);
      const report = { samples: 2, lossSum: 1, correct: 0, statistics, computeMs: 1 };
      const reports = [0, 1].map((shard) => ({ shard, ...report }));
      channel.send({ term: 1, step: order.compute.step, node: { first: 0, count: 2 }, gradient: gradient!, reports });
    };
    for (let step = 0; step < 4; step++) {
      const [a] = await rig.workers('a');
      const { done } = rig.step(step);
      await rig.until(() => messages.length === 2 * step + 1, 'an order');
      a!.break();
      await rig.until(() => !rig.roster.get('a'), 'the end of the session');
      channel.file.skip(messages.at(-1)!.parameters!);
      for (let late = 0; late < 3; late++) await deliver(messages.at(-1)!);
      const [again] = await rig.workers('a');
      await rig.until(() => messages.length === 2 * step + 2, 'the order again');
      channel.file.skip(messages.at(-1)!.parameters!);
      await deliver(messages.at(-1)!);
      expect(await within(done, 'the step')).toMatchObject({ kind: 'committed', step });
      again!.break();
      await rig.until(() => !rig.roster.get('a'), 'the end of the session');
    }
  });

  it('counts a worker as lost whose channel closes, and one that takes no parameters from it', async () => {
    const rig = await Rig.start(smallManifest(3));
    const [first, second] = [await connected(rig, 'a'), await connected(rig, 'b')];
    const [, b] = await rig.workers('a', 'b');
    first.channel.close();
    await rig.until(() => !rig.roster.get('a'), 'the end of a session');
    expect(rig.reasonOf('a', 'lost')).toBe('its connection ended');
    for (const step of [0, 1, 2]) {
      rig.step(step);
      await rig.until(() => second.messages.length === step + 1 || !rig.roster.get('b'), 'an order');
    }
    expect(await b!.ended).toMatchObject({
      code: 'LOST',
      message: 'step: expected b to read its messages, got parameters of two steps unread',
    });
    expect(second.messages).toHaveLength(2);
  });

  it('blames the worker for a result that names no gradient', async () => {
    const rig = await Rig.start(smallManifest(3));
    const { messages, channel } = await connected(rig, 'a');
    const [a] = await rig.workers('a');
    rig.step(0);
    await rig.until(() => messages.length === 1, 'an order');
    const node = { first: 0, count: 2 };
    channel.send({ term: 1, step: 0, node, gradient: { index: -1, bytes: 12 }, reports: [] });
    expect(await a!.ended).toMatchObject({ code: 'BAD_MESSAGE' });
  });

  it('sends steps to a worker by gRPC if vectors are too long for its channel', async () => {
    const rig = await Rig.start(smallManifest(4 * 1024 * 1024 + 1));
    const { messages } = await connected(rig, 'a');
    const [a] = await rig.workers('a');
    rig.step(0);
    await nextCompute(a!, 0);
    expect(messages).toEqual([]);
  });
});
