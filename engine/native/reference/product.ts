import type { NodeOf } from '../../ir/node.js';
import { type Shape, sizeOf, toRank } from '../../ir/shape.js';
import { fma } from './fma.js';
import { placesOf, stridesOf, type Values } from './tensor.js';

/** Terms of a chain. */
const chainTerms = 32;

/** Products of the matrices in the last two dimensions; the others broadcast. */
export function matmul(node: NodeOf<'matmul'>, a: Values, b: Values): Values {
  const [left, right] = node.inputs;
  const { transposeA, transposeB } = node.attrs;
  const [rows, columns] = node.shape.slice(-2) as [number, number];
  const terms = left.shape.at(transposeA ? -2 : -1)!;
  const [aRow, aTerm] = transposeA ? [1, rows] : [terms, 1];
  const [bTerm, bColumn] = transposeB ? [1, terms] : [columns, 1];
  const batch = node.shape.slice(0, -2);
  const [as, bs] = [matrices(left.shape, batch), matrices(right.shape, batch)];
  return new Float32Array(node.size).map((_, i) => {
    const [column, row, at] = [i % columns, Math.floor(i / columns) % rows, Math.floor(i / columns / rows)];
    return inChains(terms, (k) => [a[as[at]! + row * aRow + k * aTerm]!, b[bs[at]! + k * bTerm + column * bColumn]!]);
  });
}

/** Chains of 32 terms from +0, added in order to a total from +0. */
function inChains(terms: number, factors: (k: number) => readonly [number, number]): number {
  let total = 0;
  for (let first = 0; first < terms; first += chainTerms) {
    let chain = 0;
    for (let k = first; k < Math.min(first + chainTerms, terms); k++) chain = fma(...factors(k), chain);
    total = Math.fround(total + chain);
  }
  return total;
}

/** Start of an operand's matrix for each element of the result's batch. */
function matrices(shape: Shape, batch: Shape): Int32Array {
  const full = toRank(shape.slice(0, -2), batch.length);
  const size = sizeOf(shape.slice(-2));
  return placesOf(batch, stridesOf(full).map((stride, axis) => (full[axis] === 1 ? 0 : stride * size))); // prettier-ignore
}
