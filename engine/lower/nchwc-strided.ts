import type { Graph } from '../ir/graph.js';
import type { Node, NodeOf } from '../ir/node.js';
import { reshape, transpose } from '../ir/shape-ops.js';
import { channelBlocks, channelsFirst } from './layout.js';
import type { Lowering } from './lowering.js';

/**
 * The gradient by the input of a convolution with stride s: row h of x meets the filter's rows u with h + pad − u
 * divisible by s, so each of the s · s kinds of places (h mod s, w mod s) has a small filter of its own. All of them
 * are computed as the channels of one dense convolution of dy, and put in place in blocks of channels, or plainly where
 * the last row or column of places is cut. Places of a kind have as few rows of the filter as any other or one fewer;
 * that one is zero here, which costs less than im2col.
 */
export function stridedGradient(lowering: Lowering, node: NodeOf<'convInput'>, block: number): void {
  const { graph, writer } = lowering;
  const [dy, filter] = node.inputs;
  const [stride] = node.attrs.strides;
  const [batch, height, width, ci] = node.shape as [number, number, number, number];
  const along = [0, 1].map((axis) => phases(node, axis as 0 | 1)) as [Phases, Phases];
  const pads = [along[0].before, along[1].before, along[0].after, along[1].after] as const;
  const [rows, columns] = [along[0].count, along[1].count];
  const shape = [batch, rows, columns, stride * stride * ci];
  const attrs = { pads, strides: [1, 1], dilations: [1, 1] } as const;
  const y = graph.make('conv', [dy, phaseFilter(graph, filter, stride, along)], attrs, shape, 'float32') as Node;
  if (rows * stride === height && columns * stride === width) {
    const kinds = [batch, stride, stride, ci / block, rows, columns, block];
    const together = writer.op('Transpose', [lowering.reshape(lowering.get(y, channelBlocks), kinds)], {
      perm: [0, 3, 4, 1, 5, 2, 6],
    });
    return lowering.define(node, lowering.reshape(together, [batch, ci, height, width]), channelBlocks);
  }
  const apart = writer.op('DepthToSpace', [lowering.get(y, channelsFirst)], { blocksize: stride, mode: 'DCR' });
  const ends = [writer.ints([0, 0]), writer.ints([height, width]), writer.ints([2, 3])];
  lowering.define(node, writer.op('Slice', [apart, ...ends]), channelsFirst);
}

/** Whether the stride is the same both ways, more than 1, and channels come in whole blocks on both sides. */
export function isPhased({ inputs: [, filter], attrs }: NodeOf<'convInput'>, block: number): boolean {
  const [, , ci, co] = filter.shape as [number, number, number, number];
  const [stride, other] = attrs.strides;
  const isDense = attrs.dilations.every((rate) => rate === 1);
  return isDense && stride > 1 && stride === other && ci % block === 0 && co % block === 0;
}

/** One direction, with rows u of the filter at s · e + r, where r is the kind of place and e counts backwards in dy. */
interface Phases {
  /** Number of values of e. */
  readonly steps: number;
  /** Zeros before the filter's first row; with those behind it, it has s · steps rows. */
  readonly shift: number;
  /** Places of each kind. */
  readonly count: number;
  /** Padding of dy. */
  readonly before: number;
  readonly after: number;
}

function phases({ shape, inputs: [dy, filter], attrs }: NodeOf<'convInput'>, axis: 0 | 1): Phases {
  const [stride, pad, size] = [attrs.strides[axis], attrs.pads[axis], filter.shape[axis]!];
  const ahead = Math.ceil(pad / stride);
  const shift = stride * ahead - pad;
  const steps = Math.ceil((size + shift) / stride);
  const count = Math.ceil(shape[axis + 1]! / stride);
  return { steps, shift, count, before: steps - 1 - ahead, after: count - dy.shape[axis + 1]! + ahead };
}

/** The filter `[kh, kw, ci, co]` as one that makes all kinds of places, `[eh, ew, co, s · s · ci]`. */
function phaseFilter(graph: Graph, filter: Node, stride: number, [rows, columns]: readonly [Phases, Phases]): Node {
  const [kh, kw, ci, co] = filter.shape as [number, number, number, number];
  const [height, width] = [rows.steps * stride, columns.steps * stride];
  const before = [rows.shift, columns.shift, 0, 0];
  const after = [height - kh - rows.shift, width - kw - columns.shift, 0, 0];
  const padded = graph.make('pad', [filter], { before, after, value: 0 }, [height, width, ci, co], 'float32') as Node;
  const split = reshape(graph, padded, [rows.steps, stride, columns.steps, stride, ci, co]);
  const turned = transpose(graph, split, [0, 2, 5, 1, 3, 4]);
  const reversed = graph.make('reverse', [turned], { axes: [0, 1] }, turned.shape, 'float32') as Node;
  return reshape(graph, reversed, [rows.steps, columns.steps, co, stride * stride * ci]);
}
