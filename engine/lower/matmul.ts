import type { Node, NodeOf } from '../ir/node.js';
import { identity, isIdentity } from './layout.js';
import type { Lowering } from './lowering.js';

export function matmul(lowering: Lowering, node: NodeOf<'matmul'>): void {
  const [a, b] = node.inputs;
  if (a.shape.length === 2 && b.shape.length === 2) return gemm(lowering, node, node, undefined);
  const { transposeA, transposeB } = node.attrs;
  const operands = [turned(lowering, a, transposeA), turned(lowering, b, transposeB)];
  lowering.define(node, lowering.writer.op('MatMul', operands));
}

/**
 * Defines `result` as the product of two matrices plus an optional bias per column.
 *
 * ONNX Runtime divides the longer side of the result among its threads. Dividing columns changes the blocking of sums,
 * and thus their rounding. With at least as many rows as columns, bits don't depend on the number of threads; so a product with
 * more columns is computed and stored transposed.
 */
export function gemm(lowering: Lowering, node: NodeOf<'matmul'>, result: Node, bias: Node | undefined): void {
  const [a, b] = node.inputs;
  const [rows, columns] = node.shape as [number, number];
  const left = matrix(lowering, a, node.attrs.transposeA);
  const right = matrix(lowering, b, node.attrs.transposeB);
  const { writer } = lowering;
  if (rows >= columns) {
    const inputs = [left.name, right.name, ...(bias ? [lowering.get(bias)] : [])];
    const name = writer.op('Gemm', inputs, { transA: Number(left.turned), transB: Number(right.turned) });
    return lowering.define(result, name);
  }
  const inputs = [right.name, left.name, ...(bias ? [column(lowering, bias)] : [])];
  const name = writer.op('Gemm', inputs, { transA: Number(!right.turned), transB: Number(!left.turned) });
  lowering.define(result, name, [1, 0]);
}

/** Operand as stored, and whether to read it transposed. */
function matrix(lowering: Lowering, x: Node, transpose: boolean) {
  const layout = lowering.layoutOf(x);
  return { name: lowering.get(x, layout), turned: transpose === isIdentity(layout) };
}

function column(lowering: Lowering, bias: Node): string {
  return lowering.memo(`column${bias.id}`, () => lowering.reshape(lowering.get(bias), [bias.size, 1]));
}

function turned(lowering: Lowering, x: Node, transpose: boolean): string {
  const layout = identity(x.shape.length);
  if (!transpose) return lowering.get(x, layout);
  return lowering.get(x, [...layout.slice(0, -2), ...layout.slice(-2).reverse()]);
}
