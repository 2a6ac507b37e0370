import { elementType } from '../emit/onnx-writer.js';
import { constantData } from '../ir/graph.js';
import type { Node, NodeOf } from '../ir/node.js';
import { identity, inverse } from './layout.js';
import type { Lowering } from './lowering.js';

/** Rules of operations that only move elements. */

export function input(lowering: Lowering, node: NodeOf<'input'>): void {
  const { name, stored } = node.attrs;
  const plain = stored === node.dtype;
  lowering.define(node, plain ? name : lowering.writer.op('Cast', [name], { to: elementType[node.dtype] }));
}

export function param(lowering: Lowering, node: NodeOf<'param'>): void {
  lowering.define(node, lowering.options.weight(lowering.writer, node));
}

export function constant(lowering: Lowering, node: NodeOf<'constant'>): void {
  const name = lowering.writer.constant(constantData(node)!, node.shape);
  const value = node.dtype === 'bool' ? lowering.writer.op('Cast', [name], { to: elementType.bool }) : name;
  lowering.define(node, value);
}

export function reshape(lowering: Lowering, node: NodeOf<'reshape'>): void {
  const [x] = node.inputs;
  lowering.define(node, lowering.reshape(lowering.get(x), node.shape));
}

export function broadcast(lowering: Lowering, node: NodeOf<'broadcast'>): void {
  const [x] = node.inputs;
  lowering.define(node, lowering.writer.op('Expand', [lowering.get(x), lowering.writer.ints(node.shape)]));
}

/** Transposition without an operator: the same tensor in another layout. */
export function transpose(lowering: Lowering, node: NodeOf<'transpose'>): void {
  const [x] = node.inputs;
  const layout = lowering.layoutOf(x);
  const renamed = inverse(node.attrs.perm);
  const name = lowering.get(x, layout);
  lowering.define(
    node,
    name,
    layout.map((dimension) => renamed[dimension]!),
  );
}

export function tile(lowering: Lowering, node: NodeOf<'tile'>): void {
  const [x] = node.inputs;
  lowering.define(node, lowering.writer.op('Tile', [lowering.get(x), lowering.writer.ints(node.attrs.reps)]));
}

export function slice(lowering: Lowering, node: NodeOf<'slice'>): void {
  const { writer } = lowering;
  const [x] = node.inputs;
  const { begin } = node.attrs;
  const end = begin.map((first, i) => first + node.shape[i]!);
  const axes = identity(node.shape.length);
  lowering.define(node, writer.op('Slice', [lowering.get(x), writer.ints(begin), writer.ints(end), writer.ints(axes)]));
}

/** A slice with step −1 from the last element to before the first. */
export function reverse(lowering: Lowering, node: NodeOf<'reverse'>): void {
  const { writer } = lowering;
  const [x] = node.inputs;
  const { axes } = node.attrs;
  const each = (value: number) => writer.ints(axes.map(() => value));
  const beforeFirst = -(2 ** 31);
  lowering.define(
    node,
    writer.op('Slice', [lowering.get(x), each(-1), each(beforeFirst), writer.ints(axes), each(-1)]),
  );
}

export function pad(lowering: Lowering, node: NodeOf<'pad'>): void {
  const { writer } = lowering;
  const [x] = node.inputs;
  const { before, after, value } = node.attrs;
  const type = node.dtype === 'int32' ? Int32Array : Float32Array;
  const fill = writer.constant(type.of(value), []);
  lowering.define(node, writer.op('Pad', [lowering.get(x), writer.ints([...before, ...after]), fill]));
}

export function concat(lowering: Lowering, node: NodeOf<'concat'>): void {
  const parts = node.inputs.map((part) => lowering.get(part));
  lowering.define(node, lowering.writer.op('Concat', parts, { axis: node.attrs.axis }));
}

export function gather(lowering: Lowering, node: NodeOf<'gather'>): void {
  const operands = node.inputs.map((x: Node) => lowering.get(x));
  lowering.define(node, lowering.writer.op('Gather', operands, { axis: node.attrs.axis }));
}
