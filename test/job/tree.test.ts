import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { children, cover, isNode, nodeKey, pathTo, rootNode, type TreeNode } from '../../job/tree.js';

function allNodes(shards: number): TreeNode[] {
  const visit = (node: TreeNode): TreeNode[] => [node, ...(children(node)?.flatMap(visit) ?? [])];
  return visit(rootNode(shards));
}

describe('the reduction tree', () => {
  it('of five shards has the larger half on the left', () => {
    expect(allNodes(5).map(nodeKey)).toEqual(['0+5', '0+3', '0+2', '0+1', '1+1', '2+1', '3+2', '3+1', '4+1']);
  });

  it('distinguishes its nodes from any other range', () => {
    for (const shards of [1, 2, 5, 7, 16]) {
      const nodes = new Set(allNodes(shards).map(nodeKey));
      for (let first = -1; first <= shards; first++) {
        for (let count = -1; count <= shards + 1; count++) {
          expect(isNode({ first, count }, shards)).toBe(nodes.has(nodeKey({ first, count })));
        }
      }
    }
    expect([NaN, 0.5, Infinity].map((count) => isNode({ first: 0, count }, 5))).toEqual([false, false, false]);
  });

  it('leads from the root to a node', () => {
    expect(pathTo({ first: 2, count: 1 }, 5)?.map(nodeKey)).toEqual(['0+5', '0+3', '2+1']);
    expect(pathTo({ first: 1, count: 2 }, 5)).toBeUndefined();
  });
});

describe('cover', () => {
  it.each([
    [[0, 1, 2, 3, 4], '0+5'],
    [[0, 1, 2], '0+3'],
    [[3, 4], '3+2'],
    [[1, 2, 3], '1+1 2+1 3+1'],
    [[4, 0, 1], '0+2 4+1'],
    [[], ''],
  ])('of %j of five shards is %s', (held, expected) => {
    expect(cover(held, 5).map(nodeKey).join(' ')).toBe(expected);
  });

  it('holds exactly the shards, and no two of its nodes could be one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.infiniteStream(fc.boolean()), (shards, bits) => {
        const held = Array.from({ length: shards }, (_, shard) => shard).filter(() => bits.next().value);
        const nodes = cover(held, shards);
        expect(nodes.flatMap(({ first, count }) => Array.from({ length: count }, (_, i) => first + i))).toEqual(held);
        const keys = new Set(nodes.map(nodeKey));
        for (const node of allNodes(shards)) {
          expect(children(node)?.every((child) => keys.has(nodeKey(child))) ?? false).toBe(false);
        }
      }),
    );
  });
});
