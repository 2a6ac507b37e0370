import { describe, expect, it } from 'vitest';
import type { LinkResult } from '../../../transport/local/channel.js';
import { CoordinatorLink } from '../../../transport/local/worker-end.js';
import { linkPair } from './channel-pair.js';
import { within } from '../../proto/wire.js';
import { until } from '../../until.js';
import { manifest } from '../../worker/talk.js';

const vectorOf = (value: number) => new Float32Array(manifest.parameterCount).fill(value);
const node = { first: 0, count: 1 };
const statistics = Float32Array.of(0.5);
const report = { shard: 0, samples: 2, lossSum: 3, correct: 1, computeMs: 4, beginMs: 8, statistics };

/** A coordinator's end, and a worker's; results are noted. */
async function talking() {
  const { coordinator, worker } = await linkPair();
  coordinator.file.open(manifest.parameterCount);
  let orders = 0;
  const engine = new CoordinatorLink(worker, manifest, () => orders++);
  const results: LinkResult[] = [];
  coordinator.listen((result) => results.push(result));
  const order = async (step: number, value?: number) => {
    const compute = { term: 7, step, generation: 1, nodes: [node], wide: 0, sentMs: 5 };
    const parameters = value === undefined ? undefined : coordinator.file.put(vectorOf(value))!;
    const before = orders;
    coordinator.send({ compute, parameters });
    await until(() => orders > before, 5_000, 'an order');
    return engine.queue.take(() => true);
  };
  return { coordinator, engine, results, order };
}

describe("the engine thread's end of a link", () => {
  it('takes orders and parameters, and gives gradients with the stamps of the step', async () => {
    const { coordinator, engine, results, order } = await talking();
    const taken = await order(3, 2);
    expect(taken).toMatchObject({ work: { kind: 'node', step: 3, node }, vector: { step: 3, evaluation: false } });
    expect(taken!.vector.values).toEqual(vectorOf(2));
    await engine.deliver(3, node, vectorOf(-1), [report]);
    await until(() => results.length === 1, 5_000, 'a result');
    const { gradient, ...result } = results[0]!;
    expect(result).toMatchObject({
      ...{ term: 7, step: 3, node },
      reports: [{ shard: 0, samples: 2, lossSum: 3, correct: 1, statistics: new Uint8Array(statistics.buffer) }],
      stamps: { orderSentMs: 5, shards: [{ shard: 0, beginMs: 8, endMs: 12 }] },
    });
    const sum = vectorOf(0);
    coordinator.file.take(gradient, sum, 'test');
    expect(sum).toEqual(vectorOf(-1));
  });

  it('computes one more node of a step with the parameters that it has', async () => {
    const { order } = await talking();
    await order(3, 2);
    expect((await order(3))!.vector.values).toEqual(vectorOf(2));
    expect((await order(4, 5))!.vector.values).toEqual(vectorOf(5));
  });

  it('keeps the parameters of a step as they are while those of the next one come', async () => {
    const { order } = await talking();
    const first = await order(3, 2);
    await order(4, 5);
    expect(first!.vector.values).toEqual(vectorOf(2));
  });

  it('waits with a gradient until the coordinator has taken one of two before it', async () => {
    const { coordinator, engine, results, order } = await talking();
    await order(3, 2);
    for (const value of [1, 2]) await engine.deliver(3, node, vectorOf(value), [report]);
    let delivered = false;
    const third = engine.deliver(3, node, vectorOf(3), [report]).then(() => (delivered = true));
    await until(() => results.length === 2, 5_000, 'two results');
    expect(delivered).toBe(false);
    const sums = [];
    for (let i = 0; i < 3; i++) {
      await until(() => results.length > i, 5_000, 'a result');
      const sum = vectorOf(0);
      coordinator.file.take(results[i]!.gradient, sum, 'test');
      sums.push(sum[0]);
    }
    await third;
    expect(sums).toEqual([1, 2, 3]);
  });

  it('drops a gradient that has no room when another step begins', async () => {
    const { coordinator, engine, results, order } = await talking();
    await order(3, 2);
    for (const value of [1, 2]) await engine.deliver(3, node, vectorOf(value), [report]);
    const third = engine.deliver(3, node, vectorOf(3), [report]);
    await order(4, 5);
    await within(third, 'the end of the third delivery');
    expect(results).toHaveLength(2);
    for (const { gradient } of results) coordinator.file.skip(gradient);
    await engine.deliver(4, node, vectorOf(4), [report]);
    await until(() => results.length === 3, 5_000, 'a result of the next step');
    expect(results[2]!.step).toBe(4);
  });

  it('drops a gradient when there is no coordinator to make room for it', async () => {
    const { coordinator, engine, order } = await talking();
    await order(3, 2);
    for (const value of [1, 2]) await engine.deliver(3, node, vectorOf(value), [report]);
    coordinator.close();
    await engine.deliver(3, node, vectorOf(3), [report]);
  });
});
