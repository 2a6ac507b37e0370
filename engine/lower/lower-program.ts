import type { Dimension, OnnxWriter } from '../emit/onnx-writer.js';
import type { Node, NodeOf } from '../ir/node.js';
import { postOrder } from '../ir/post-order.js';
import { type Shape, sizeOf } from '../ir/shape.js';
import { type FlatInput, type Output, outputNodes, type TracedProgram } from '../trace/program.js';
import { Lowering, type LoweringOptions, type Rules } from './lowering.js';

/** Lowers a traced program to an ONNX model whose weights are slices of flat inputs such as `params`. */
export function lowerProgram(program: TracedProgram, rules: Rules): Uint8Array {
  const lowering = newLowering(program, { rules, weight: cutFrom(program.flatInputs) });
  for (const { name, pieces } of program.flatInputs) lowering.writer.input(name, 'float32', [totalSize(pieces)]);
  for (const { attrs, shape } of inputsOf(program)) lowering.writer.input(attrs.name, attrs.stored, shape);
  for (const output of program.outputs) writeOutput(lowering, output);
  return lowering.writer.build();
}

export function newLowering(program: TracedProgram, options: LoweringOptions): Lowering {
  return new Lowering(program.graph, options, outputNodes(program));
}

/** Inputs of the program except weights, in no particular order. */
export function inputsOf(program: TracedProgram): NodeOf<'input'>[] {
  return postOrder(outputNodes(program)).filter((node) => node.op === 'input');
}

/** One Slice per weight, because some devices limit the number of outputs of a Split. */
function cutFrom(flatInputs: readonly FlatInput[]): LoweringOptions['weight'] {
  const places = new Map(
    flatInputs.flatMap(({ name, pieces }) => {
      let end = 0;
      return pieces.map((piece) => [piece, { name, begin: end, end: (end += piece.size) }] as const);
    }),
  );
  return (writer, node) => {
    const { name, begin, end } = places.get(node)!;
    return cut(writer, name, begin, end, node.shape);
  };
}

function cut(writer: OnnxWriter, name: string, begin: number, end: number, shape: Shape): string {
  const piece = writer.op('Slice', [name, writer.ints([begin]), writer.ints([end]), writer.ints([0])]);
  return writer.op('Reshape', [piece, writer.ints(shape)]);
}

/** @param rows - first dimension of a tensor, if it differs from the traced one. */
export function writeOutput(lowering: Lowering, output: Output, rows?: Dimension): void {
  const { writer } = lowering;
  if (output.kind === 'tensor') {
    const { dtype, shape } = output.node;
    writer.op('Identity', [lowering.get(output.node)], {}, output.name);
    return writer.output(output.name, dtype, rows === undefined ? shape : [rows, ...shape.slice(1)]);
  }
  const vectors = output.pieces.map((piece) => asVector(lowering, piece));
  writer.op('Concat', vectors, { axis: 0 }, output.name);
  writer.output(output.name, 'float32', [totalSize(output.pieces)]);
}

function asVector(lowering: Lowering, node: Node): string {
  const name = lowering.get(node);
  return node.shape.length === 1
    ? name
    : lowering.writer.op('Reshape', [name, lowering.writer.ints([sizeOf(node.shape)])]);
}

function totalSize(nodes: readonly Node[]): number {
  return nodes.reduce((sum, { size }) => sum + size, 0);
}
