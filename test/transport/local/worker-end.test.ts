import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../proto/chunks.js';
import type { LocalResult } from '../../../transport/local/channel.js';
import { LocalWorkerEnd } from '../../../transport/local/worker-end.js';
import { ComputeQueue } from '../../../worker/compute-queue.js';
import { channelPair } from './channel-pair.js';
import { within } from '../../proto/wire.js';
import { until } from '../../until.js';
import { manifest } from '../../worker/talk.js';

const vectorOf = (value: number) => new Float32Array(manifest.parameterCount).fill(value);
const node = { first: 0, count: 1 };
const statistics = Float32Array.of(0.5);
const report = { shard: 0, samples: 2, lossSum: 3, correct: 1, computeMs: 4, statistics: bytesOf(statistics) };
const stamps = { orderSentMs: 5, orderReceivedMs: 6, parametersBeginMs: 6, parametersEndMs: 7, shards: [] };

/** A coordinator's end, and a worker's; results are recorded. */
async function talking() {
  const { coordinator, worker } = await channelPair();
  coordinator.file.open(manifest.parameterCount);
  let received = 0;
  const queue = new ComputeQueue();
  const end = new LocalWorkerEnd(worker, manifest.parameterCount, {
    keep: (vector) => queue.keep(vector),
    compute: (message, receivedMs) => {
      queue.addNodes(message, receivedMs);
      received++;
    },
  });
  const deliver = (step: number, gradient: Float32Array) =>
    end.deliver({ term: 7, step, node, gradient, reports: [report], stamps });
  const results: LocalResult[] = [];
  coordinator.listen((result) => results.push(result));
  const compute = async (step: number, value?: number) => {
    const message = { term: 7, step, generation: 1, nodes: [node], threads: [], sentMs: 5 };
    const parameters = value === undefined ? undefined : coordinator.file.put(vectorOf(value))!;
    const before = received;
    coordinator.send({ compute: message, parameters });
    await until(() => received > before, 5_000, 'a Compute message');
    return queue.take(() => true);
  };
  return { coordinator, deliver, results, compute };
}

describe("the worker's end of the local transport", () => {
  it('takes Compute messages and parameters, and delivers gradients with the stamps of the step', async () => {
    const { coordinator, deliver, results, compute } = await talking();
    const taken = await compute(3, 2);
    expect(taken).toMatchObject({ work: { kind: 'node', step: 3, node }, vector: { step: 3, evaluation: false } });
    expect(taken!.vector.values).toEqual(vectorOf(2));
    await deliver(3, vectorOf(-1));
    await until(() => results.length === 1, 5_000, 'a result');
    const { gradient, ...result } = results[0]!;
    expect(result).toMatchObject({
      ...{ term: 7, step: 3, node },
      reports: [{ shard: 0, samples: 2, lossSum: 3, correct: 1, statistics: new Uint8Array(statistics.buffer) }],
      stamps,
    });
    const sum = vectorOf(0);
    coordinator.file.take(gradient, sum, 'test');
    expect(sum).toEqual(vectorOf(-1));
  });

  it('computes one more node of a step with the parameters that it has', async () => {
    const { compute } = await talking();
    await compute(3, 2);
    expect((await compute(3))!.vector.values).toEqual(vectorOf(2));
    expect((await compute(4, 5))!.vector.values).toEqual(vectorOf(5));
  });

  it('keeps the parameters of a step while those of the next one arrive', async () => {
    const { compute } = await talking();
    const first = await compute(3, 2);
    await compute(4, 5);
    expect(first!.vector.values).toEqual(vectorOf(2));
  });

  it('waits with a gradient until the coordinator has taken one of two before it', async () => {
    const { coordinator, deliver, results, compute } = await talking();
    await compute(3, 2);
    for (const value of [1, 2]) await deliver(3, vectorOf(value));
    let delivered = false;
    const third = deliver(3, vectorOf(3)).then(() => (delivered = true));
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
    const { coordinator, deliver, results, compute } = await talking();
    await compute(3, 2);
    for (const value of [1, 2]) await deliver(3, vectorOf(value));
    const third = deliver(3, vectorOf(3));
    await compute(4, 5);
    await within(third, 'the end of the third delivery');
    expect(results).toHaveLength(2);
    for (const { gradient } of results) coordinator.file.skip(gradient);
    await deliver(4, vectorOf(4));
    await until(() => results.length === 3, 5_000, 'a result of the next step');
    expect(results[2]!.step).toBe(4);
  });

  it('drops a gradient when there is no coordinator to make room for it', async () => {
    const { coordinator, deliver, compute } = await talking();
    await compute(3, 2);
    for (const value of [1, 2]) await deliver(3, vectorOf(value));
    coordinator.close();
    await deliver(3, vectorOf(3));
  });
});
