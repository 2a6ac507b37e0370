import { describe, expect, it } from 'vitest';
import { OrderQueue, type Work } from '../../worker/compute-queue.js';

const leaf = (first: number) => ({ first, count: 1 });
const vector = (step: number, evaluation = false) => ({ step, evaluation, values: Float32Array.of(step) });
const anyData = () => true;

/** What is taken until nothing is left that could be computed. */
function takeAll(queue: OrderQueue, hasData: (work: Work) => boolean = anyData): unknown[] {
  const taken = [];
  for (let next = queue.take(hasData); next; next = queue.take(hasData)) {
    taken.push(next.work.kind === 'node' ? next.work.node.first : `batch ${next.work.batch}`);
  }
  return taken;
}

describe('an order queue', () => {
  it('gives work in the order in which it came, once its vector is there', () => {
    const queue = new OrderQueue();
    queue.addNodes(3, [leaf(0), leaf(2)], 0);
    expect(takeAll(queue)).toEqual([]);
    queue.keep(vector(3));
    expect(takeAll(queue)).toEqual([0, 2]);
    expect(queue.isEmpty).toBe(true);
    queue.addNodes(3, [leaf(1)], 0);
    expect(takeAll(queue)).toEqual([1]);
  });

  it('passes over work whose data are not there yet', () => {
    const queue = new OrderQueue();
    queue.addNodes(3, [leaf(0), leaf(2)], 0);
    queue.keep(vector(3));
    expect(takeAll(queue, (work) => work.kind === 'node' && work.node.first === 2)).toEqual([2]);
    expect(queue.isEmpty).toBe(false);
    expect(takeAll(queue)).toEqual([0]);
  });

  it('drops what is left of a step when another one is ordered', () => {
    const queue = new OrderQueue();
    queue.addNodes(3, [leaf(0)], 0);
    queue.addNodes(4, [leaf(1)], 0);
    queue.keep(vector(3));
    expect(takeAll(queue)).toEqual([]);
    queue.keep(vector(4));
    expect(takeAll(queue)).toEqual([1]);
  });

  it('keeps what is left of a step when nothing more of it is ordered', () => {
    const queue = new OrderQueue();
    queue.addNodes(3, [leaf(0)], 0);
    queue.addNodes(3, [], 0);
    queue.addBatches(4, []);
    queue.keep(vector(3));
    expect(takeAll(queue)).toEqual([0]);
  });

  it('tells steps from evaluations of the same number', () => {
    const queue = new OrderQueue();
    queue.addBatches(3, [0, 1]);
    queue.keep(vector(3));
    expect(takeAll(queue)).toEqual([]);
    queue.keep(vector(3, true));
    expect(takeAll(queue)).toEqual(['batch 0', 'batch 1']);
  });

  it('counts the shards of an order, for all its nodes', () => {
    const queue = new OrderQueue();
    queue.addNodes(3, [{ first: 0, count: 2 }, leaf(2)], 1);
    queue.keep(vector(3));
    const orders = [queue.take(anyData), queue.take(anyData)].map(
      (next) => next!.work.kind === 'node' && next!.work.order,
    );
    expect(orders[0]).toEqual({ left: 3, wide: 1 });
    expect(orders[1]).toBe(orders[0]);
  });

  it('is empty once cleared', () => {
    const queue = new OrderQueue();
    queue.addNodes(3, [leaf(0)], 0);
    queue.keep(vector(3));
    queue.clear();
    expect([queue.isEmpty, queue.vector]).toEqual([true, undefined]);
  });
});
