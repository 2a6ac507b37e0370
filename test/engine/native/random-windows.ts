import { add } from '../../../engine/ir/elementwise.js';
import type { ConvAttrs, Node, PoolAttrs } from '../../../engine/ir/node.js';
import { maxPool, maxPoolGrad } from '../../../engine/ir/pool.js';
import type { Build } from './random-nodes.js';
import type { Draft } from './random-programs.js';

/** Convolutions and pooling of random geometry. */

/** Most products of a convolution: the reference takes about 0.1 µs for each. */
const mostProducts = 300_000;

interface Geometry extends ConvAttrs {
  readonly window: readonly [number, number];
  readonly output: readonly [number, number];
}

/** Windows that have at least one pixel of an image of this size in them; undefined if these don't fit. */
function drawGeometry({ random }: Draft, size: readonly [number, number], most: number): Geometry | undefined {
  const pair = (draw: () => number) => [draw(), draw()] as const;
  const window = random.chance(0.3) ? ([2, 2] as const) : pair(() => random.int(1, most));
  const strides = random.chance(0.5) ? ([1, 1] as const) : pair(() => random.int(1, 3));
  const dilations = most > 3 && random.chance(0.3) ? pair(() => random.int(1, 2)) : ([1, 1] as const);
  const extents = window.map((w, i) => (w - 1) * dilations[i]! + 1);
  const isPadded = random.chance(0.6);
  const pad = (i: number) => (isPadded ? random.int(0, extents[i]! - 1) : 0);
  const pads = [pad(0), pad(1), pad(0), pad(1)] as const;
  const along = (i: 0 | 1) => Math.floor((size[i] + pads[i] + pads[i + 2]! - extents[i]!) / strides[i]) + 1;
  const output = [along(0), along(1)] as const;
  return output.every((n) => n >= 1) ? { window, strides, dilations, pads, output } : undefined;
}

function geometry(draft: Draft, x: Node, most = 5): Geometry {
  const size = [x.shape[1]!, x.shape[2]!] as const;
  for (let attempt = 0; attempt < 20; attempt++) {
    const drawn = drawGeometry(draft, size, most);
    if (drawn) return drawn;
  }
  return { window: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], output: size };
}

function image(draft: Draft): Node {
  const shape = () => [draft.images(), draft.side(), draft.side(), draft.channels()];
  const isSource = draft.random.chance(0.3);
  const own = [draft.batch, ...draft.imageShape];
  return draft.operand(isSource ? () => own : shape, (node) => node.shape.length === 4 && node.size < 20_000);
}

interface Drawn {
  readonly x: Node;
  readonly attrs: ConvAttrs;
  readonly window: readonly [number, number];
  /** Images and output pixels. */
  readonly places: readonly [number, number, number];
  readonly co: number;
}

/** A convolution of limited work. */
function drawConvolution(draft: Draft, channelsOf: (ci: number, most: number) => number): Drawn {
  const x = image(draft);
  const { window, output, pads, strides, dilations } = geometry(draft, x);
  const places = [x.shape[0]!, ...output] as const;
  const perChannel = places.reduce((a, b) => a * b) * window[0] * window[1] * x.shape[3]!;
  const co = channelsOf(x.shape[3]!, Math.max(1, Math.floor(mostProducts / perChannel)));
  return { x, attrs: { pads, strides, dilations }, window, places, co };
}

function convolution(draft: Draft, op: 'conv' | 'convInput' | 'convFilter'): Node {
  const { x, attrs, window, places, co } = drawConvolution(draft, (_, most) => Math.min(most, draft.channels()));
  const { graph, random } = draft;
  const [filterShape, dyShape] = [
    [...window, x.shape[3]!, co],
    [...places, co],
  ];
  const dy = () => draft.fresh(dyShape);
  if (op === 'convFilter') return graph.make(op, [x, dy()], attrs, filterShape, 'float32');
  if (op === 'convInput') return graph.make(op, [dy(), draft.fresh(filterShape)], attrs, x.shape, 'float32');
  const y = graph.make(op, [x, draft.fresh(filterShape)], attrs, dyShape, 'float32');
  return random.chance(0.4) ? add(graph, y, draft.fresh([co])) : y;
}

function depthwise(draft: Draft, op: 'depthwise' | 'depthwiseInput' | 'depthwiseFilter'): Node {
  const { x, attrs, window, places, co } = drawConvolution(draft, () => draft.random.of([1, 1, 1, 2, 3, 17]));
  const { graph } = draft;
  const [filterShape, dyShape] = [
    [...window, x.shape[3]!, co],
    [...places, x.shape[3]! * co],
  ];
  if (op === 'depthwiseFilter') return graph.make(op, [x, draft.fresh(dyShape)], attrs, filterShape, 'float32');
  const filter = draft.fresh(filterShape);
  if (op === 'depthwiseInput') return graph.make(op, [draft.fresh(dyShape), filter], attrs, x.shape, 'float32');
  return graph.make(op, [x, filter], attrs, dyShape, 'float32');
}

function pooling(draft: Draft, build: (x: Node, attrs: PoolAttrs, shape: readonly number[]) => Node): Node {
  const x = image(draft);
  const { window, pads, strides, output } = geometry(draft, x, 3);
  return build(x, { window, pads, strides }, [x.shape[0]!, ...output, x.shape[3]!]);
}

export const windowBuilders: Readonly<Record<string, Build>> = {
  conv: (draft) => convolution(draft, 'conv'),
  convInput: (draft) => convolution(draft, 'convInput'),
  convFilter: (draft) => convolution(draft, 'convFilter'),
  depthwise: (draft) => depthwise(draft, 'depthwise'),
  depthwiseInput: (draft) => depthwise(draft, 'depthwiseInput'),
  depthwiseFilter: (draft) => depthwise(draft, 'depthwiseFilter'),
  maxPool: (draft) => pooling(draft, (x, attrs, shape) => maxPool(draft.graph, x, attrs, shape)),
  maxPoolGrad: (draft) => pooling(draft, (x, attrs, shape) => maxPoolGrad(draft.graph, draft.fresh(shape), x, attrs)),
  avgPool: (draft) => pooling(draft, (x, attrs, shape) => draft.graph.make('avgPool', [x], attrs, shape, 'float32')),
  avgPoolGrad: (draft) =>
    pooling(draft, (x, attrs, shape) =>
      draft.graph.make('avgPoolGrad', [draft.fresh(shape)], attrs, x.shape, 'float32'),
    ),
};
