import { constantData } from '../../ir/graph.js';
import type { Node, NodeOf } from '../../ir/node.js';
import { postOrder } from '../../ir/post-order.js';
import type { Output, TracedProgram } from '../../trace/program.js';
import { conv, convInput, depthwise, depthwiseInput, filterGradient } from './convolution.js';
import { cast, elementwise } from './elementwise.js';
import { broadcast, concat, gather, pad, reverse, slice, tile, transpose } from './movement.js';
import { avgPool, avgPoolGrad, maxPool, maxPoolGrad } from './pooling.js';
import { matmul } from './product.js';
import { argExtreme, reduce, softmax, spread } from './reductions.js';
import { newValues, type Values } from './tensor.js';

/** Arrays by name: flat inputs (`params`, `state`), and inputs such as `images`, `labels` and `mask/…`. */
export type ProgramArrays = Readonly<Record<string, ArrayLike<number>>>;

/**
 * Evaluates a program by Lockstep arithmetic 1, node by node: the specification of `docs/arithmetic.md` that runs.
 *
 * Every engine that implements it gives the same bits, except for those of NaNs.
 * @returns for each output, by name, the elements of its tensor or of its pieces in order.
 */
export function evaluate(program: TracedProgram, inputs: ProgramArrays): ReadonlyMap<string, readonly Values[]> {
  const values = weightsOf(program, inputs);
  for (const node of postOrder(program.outputs.flatMap(piecesOf))) {
    if (node.op === 'param') continue;
    const operands = node.inputs.map((input) => values.get(input)!);
    values.set(node, node.op === 'input' ? inputOf(node, inputs) : valueOf(node, operands));
  }
  return new Map(program.outputs.map((output) => [output.name, piecesOf(output).map((node) => values.get(node)!)]));
}

function piecesOf(output: Output): readonly Node[] {
  return output.kind === 'flat' ? output.pieces : [output.node];
}

function weightsOf({ flatInputs }: TracedProgram, inputs: ProgramArrays): Map<Node, Values> {
  const values = new Map<Node, Values>();
  for (const { name, pieces } of flatInputs) {
    const all = Float32Array.from(arrayOf(inputs, name, pieces.reduce((sum, { size }) => sum + size, 0))); // prettier-ignore
    pieces.reduce((begin, piece) => {
      values.set(piece, all.subarray(begin, begin + piece.size));
      return begin + piece.size;
    }, 0);
  }
  return values;
}

function inputOf({ attrs, dtype, size }: NodeOf<'input'>, inputs: ProgramArrays): Values {
  const values = newValues(dtype, size);
  values.set(arrayOf(inputs, attrs.name, size));
  return values;
}

function arrayOf(inputs: ProgramArrays, name: string, size: number): ArrayLike<number> {
  const found = inputs[name];
  if (found?.length === size) return found;
  const got = found === undefined ? 'none' : `${found.length} elements`;
  throw new Error(`reference: expected ${name} of ${size} elements, got ${got}; pass the program's inputs`);
}

function constant(node: NodeOf<'constant'>): Values {
  const data = constantData(node)!;
  return newValues(node.dtype, node.size).map((_, i) => data[i]!);
}

function valueOf(node: Exclude<Node, NodeOf<'input' | 'param'>>, operands: readonly Values[]): Values {
  const [a, b, c] = operands as [Values, Values, Values];
  switch (node.op) {
    case 'constant':
      return constant(node);
    case 'reshape':
      return a;
    case 'broadcast':
      return broadcast(node, a);
    case 'transpose':
      return transpose(node, a);
    case 'slice':
      return slice(node, a);
    case 'reverse':
      return reverse(node, a);
    case 'tile':
      return tile(node, a);
    case 'pad':
      return pad(node, a);
    case 'concat':
      return concat(node, operands);
    case 'gather':
      return gather(node, a, b);
    case 'cast':
      return cast(node, a);
    case 'sum':
    case 'prod':
    case 'max':
    case 'min':
      return reduce(node.op, { x: a, shape: node.inputs[0].shape, axes: node.attrs.axes });
    case 'argMax':
    case 'argMin':
      return argExtreme(node.op, { x: a, shape: node.inputs[0].shape, axes: node.attrs.axes });
    case 'spread':
      return spread({ x: a, shape: node.inputs[0].shape, axes: node.attrs.axes });
    case 'softmax':
      return softmax(node, a);
    case 'matmul':
      return matmul(node, a, b);
    case 'conv':
      return conv(node, a, b);
    case 'convInput':
      return convInput(node, a, b);
    case 'convFilter':
    case 'depthwiseFilter':
      return filterGradient(node, a, b);
    case 'depthwise':
      return depthwise(node, a, b);
    case 'depthwiseInput':
      return depthwiseInput(node, a, b);
    case 'maxPool':
      return maxPool(node, a);
    case 'maxPoolGrad':
      return maxPoolGrad(node, a, b, c);
    case 'avgPool':
      return avgPool(node, a);
    case 'avgPoolGrad':
      return avgPoolGrad(node, a);
    default:
      return elementwise(node, operands);
  }
}
