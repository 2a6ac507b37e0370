import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generatorFor, permutation } from '../../job/random.js';
import { sumNode } from '../../job/node-sum.js';
import { type NodeSum, ReductionTree } from '../../job/reduction.js';
import { children, cover, rootNode, type TreeNode } from '../../job/tree.js';

const length = 9;

/** Gradients whose f32 sum depends on the order of addition: large and small values of both signs. */
function gradient(shard: number): Float32Array {
  const generator = generatorFor('gradient', shard);
  return Float32Array.from({ length }, (_, i) => (generator.next() / 2 ** 31) * 10 ** ((i % 5) - 2));
}

/** The tree's sum by its definition. */
function treeSum(node: TreeNode): Float32Array {
  const pair = children(node)?.map(treeSum);
  return pair ? pair[0]!.map((value, i) => Math.fround(value + pair[1]![i]!)) : gradient(node.first);
}

function bits(values: Float32Array): number[] {
  return [...new Int32Array(values.buffer, values.byteOffset, values.length)];
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  return [...permutation(items.length, generatorFor('shuffle', seed))].map((i) => items[i]!);
}

/** Messages of workers when `owners[shard]` computes each shard. */
async function partials(owners: readonly number[]): Promise<NodeSum[]> {
  const nodes = [...new Set(owners)].flatMap((worker) => {
    const held = owners.flatMap((owner, shard) => (owner === worker ? [shard] : []));
    return cover(held, owners.length);
  });
  const values = nodes.map((node) => sumNode(node, (shard) => Promise.resolve(gradient(shard))));
  return (await Promise.all(values)).map((sum, i) => ({ node: nodes[i]!, values: sum }));
}

describe('ReductionTree', () => {
  it('gives the bits of the tree for any assignment and any order of arrival', async () => {
    const owners = fc.array(fc.nat(3), { minLength: 1, maxLength: 17 });
    await fc.assert(
      fc.asyncProperty(owners, fc.nat(), async (owners, seed) => {
        const tree = new ReductionTree(owners.length, 1);
        const results = shuffled(await partials(owners), seed).map(({ node, values }) => tree.add(node, 0, values));
        const last = results.pop()!;
        expect(results.every(({ outcome }) => outcome === 'kept')).toBe(true);
        expect(last.outcome === 'complete' && bits(last.sum)).toEqual(bits(treeSum(rootNode(owners.length))));
      }),
    );
  });

  it('has test values whose sum does depend on the order', () => {
    const inOrder = [0, 1, 2, 3, 4].map(gradient).reduce((sum, next) => sum.map((value, i) => value + next[i]!));
    expect(bits(inOrder)).not.toEqual(bits(treeSum(rootNode(5))));
  });

  it('sums each chunk by itself', () => {
    const tree = new ReductionTree(2, 2);
    const [left, right] = children(rootNode(2))!;
    expect(tree.add(left, 0, Float32Array.of(1)).outcome).toBe('kept');
    expect(tree.add(right, 1, Float32Array.of(20)).outcome).toBe('kept');
    expect(tree.add(left, 1, Float32Array.of(10))).toEqual({ outcome: 'complete', sum: Float32Array.of(30) });
    expect(tree.add(right, 0, Float32Array.of(2))).toEqual({ outcome: 'complete', sum: Float32Array.of(3) });
  });

  it('ignores results that it has already, alone or in a sum, whatever their values', () => {
    const tree = new ReductionTree(5, 1);
    const wrong = Float32Array.of(1000);
    tree.add({ first: 0, count: 2 }, 0, Float32Array.of(1));
    expect(tree.add({ first: 0, count: 2 }, 0, wrong)).toEqual({ outcome: 'duplicate' });
    expect(tree.add({ first: 1, count: 1 }, 0, wrong)).toEqual({ outcome: 'duplicate' });
    tree.add({ first: 2, count: 1 }, 0, Float32Array.of(2));
    expect(tree.add({ first: 0, count: 3 }, 0, wrong)).toEqual({ outcome: 'duplicate' });
    expect(tree.add({ first: 3, count: 2 }, 0, Float32Array.of(4))).toEqual({
      outcome: 'complete',
      sum: Float32Array.of(7),
    });
    expect(tree.add({ first: 0, count: 5 }, 0, wrong)).toEqual({ outcome: 'duplicate' });
    expect(wrong).toEqual(Float32Array.of(1000));
  });

  it('lets the sum of a node replace the sum of one of its children', () => {
    const tree = new ReductionTree(3, 1);
    tree.add({ first: 1, count: 1 }, 0, Float32Array.of(1));
    tree.add({ first: 0, count: 2 }, 0, Float32Array.of(5));
    expect(tree.add({ first: 2, count: 1 }, 0, Float32Array.of(2))).toEqual({
      outcome: 'complete',
      sum: Float32Array.of(7),
    });
  });

  it('names the shards that are missing, in one chunk or in any', () => {
    const tree = new ReductionTree(5, 2);
    tree.add({ first: 0, count: 2 }, 0, Float32Array.of(1));
    tree.add({ first: 3, count: 1 }, 0, Float32Array.of(1));
    tree.add({ first: 0, count: 3 }, 1, Float32Array.of(1));
    expect(tree.missingShards(0)).toEqual([2, 4]);
    expect(tree.missingShards(1)).toEqual([3, 4]);
    expect(tree.missingShards()).toEqual([2, 3, 4]);
  });

  it('refuses a node or a chunk that does not exist, and other lengths', () => {
    const tree = new ReductionTree(5, 1);
    const values = Float32Array.of(1);
    expect(() => tree.add({ first: 1, count: 2 }, 0, values)).toThrow('internal: reduction: no node 1+2 or chunk 0');
    expect(() => tree.add({ first: 1, count: 1 }, 1, values)).toThrow('internal: reduction: no node 1+1 or chunk 1');
    tree.add({ first: 0, count: 1 }, 0, values);
    expect(() => tree.add({ first: 1, count: 1 }, 0, new Float32Array(2))).toThrow(
      'expected equal lengths, got 1 and 2',
    );
  });
});
