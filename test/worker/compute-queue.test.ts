import { describe, expect, it } from 'vitest';
import type { TreeNode } from '../../job/tree.js';
import { ComputeQueue, type Work } from '../../worker/compute-queue.js';

const leaf = (first: number) => ({ first, count: 1 });
const vector = (step: number, evaluation = false) => ({
  step,
  evaluation,
  values: Float32Array.of(step),
  beginMs: 0,
  endMs: 0,
});
const compute = (step: number, nodes: TreeNode[], threads: number[] = []) => ({
  term: 7,
  step,
  generation: 1,
  nodes,
  threads,
  sentMs: 5,
});
const anyData = () => true;

/** Items taken until nothing is left that could be computed. */
function takeAll(queue: ComputeQueue, hasData: (work: Work) => boolean = anyData): unknown[] {
  const taken = [];
  for (let next = queue.take(hasData); next; next = queue.take(hasData)) {
    taken.push(next.work.kind === 'node' ? next.work.node.first : `batch ${next.work.batch}`);
  }
  return taken;
}

describe('a compute queue', () => {
  it('gives work in order of arrival, once its vector is there', () => {
    const queue = new ComputeQueue();
    queue.addNodes(compute(3, [leaf(0), leaf(2)]), 6);
    expect(takeAll(queue)).toEqual([]);
    queue.keep(vector(3));
    expect(takeAll(queue)).toEqual([0, 2]);
    expect(queue.isEmpty).toBe(true);
    queue.addNodes(compute(3, [leaf(1)]), 6);
    expect(takeAll(queue)).toEqual([1]);
  });

  it('skips work whose data are not there yet', () => {
    const queue = new ComputeQueue();
    queue.addNodes(compute(3, [leaf(0), leaf(2)]), 6);
    queue.keep(vector(3));
    expect(takeAll(queue, (work) => work.kind === 'node' && work.node.first === 2)).toEqual([2]);
    expect(queue.isEmpty).toBe(false);
    expect(takeAll(queue)).toEqual([0]);
  });

  it('drops the rest of a step when another one is dispatched', () => {
    const queue = new ComputeQueue();
    queue.addNodes(compute(3, [leaf(0)]), 6);
    queue.addNodes(compute(4, [leaf(1)]), 6);
    queue.keep(vector(3));
    expect(takeAll(queue)).toEqual([]);
    queue.keep(vector(4));
    expect(takeAll(queue)).toEqual([1]);
  });

  it('keeps the rest of a step when nothing more of it is dispatched', () => {
    const queue = new ComputeQueue();
    queue.addNodes(compute(3, [leaf(0)]), 6);
    queue.addNodes(compute(3, []), 6);
    queue.addBatches(4, []);
    queue.keep(vector(3));
    expect(takeAll(queue)).toEqual([0]);
  });

  it('distinguishes steps from evaluations of the same number', () => {
    const queue = new ComputeQueue();
    queue.addBatches(3, [0, 1]);
    queue.keep(vector(3));
    expect(takeAll(queue)).toEqual([]);
    queue.keep(vector(3, true));
    expect(takeAll(queue)).toEqual(['batch 0', 'batch 1']);
  });

  it('shares the threads of a Compute message among all its nodes', () => {
    const queue = new ComputeQueue();
    queue.addNodes(compute(3, [{ first: 0, count: 2 }, leaf(2)], [1, 1, 2]), 6);
    queue.keep(vector(3));
    const orders = [queue.take(anyData), queue.take(anyData)].map(
      (next) => next!.work.kind === 'node' && next!.work.dispatch,
    );
    expect(orders[0]).toEqual({ term: 7, sentMs: 5, receivedMs: 6, threads: [1, 1, 2], begun: 0 });
    expect(orders[1]).toBe(orders[0]);
  });

  it('is empty once cleared', () => {
    const queue = new ComputeQueue();
    queue.addNodes(compute(3, [leaf(0)]), 6);
    queue.keep(vector(3));
    queue.clear();
    expect([queue.isEmpty, queue.vector]).toEqual([true, undefined]);
  });
});
