import type { Dice } from './dice.js';
import { branchPiece, type Config, type Piece, randomPiece, rowsOf, type Shape, tailOf } from './pieces.js';

/** Random models as written by Keras 2's `to_json()`, with few of the keys that have defaults. */

export interface LayerNode {
  class_name: string;
  name?: string;
  config: Config;
  inbound_nodes?: unknown[];
}
export interface Topology {
  class_name: string;
  config: { name: string; layers: LayerNode[] } & Config;
  [key: string]: unknown;
}

const merges = ['Add', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate'];

/** Numbered names, so that each layer has its own. */
class Names {
  #count = 0;
  of(className: string): string {
    return `${className.toLowerCase()}_${++this.#count}`;
  }
}

export function randomModel(dice: Dice, imageShape: Shape, classes: number): Topology {
  const names = new Names();
  const model = dice.chance(0.5)
    ? sequentialModel(dice, names, imageShape, classes)
    : functionalModel(dice, names, imageShape, classes);
  return { ...model, keras_version: '2.15.0', backend: 'tensorflow' };
}

function sequentialModel(dice: Dice, names: Names, imageShape: Shape, classes: number): Topology {
  const pieces = chainOf(dice, imageShape, dice.int(2, 4));
  const tail = tailOf(shapeAfter(pieces, imageShape), classes);
  const all = [...pieces, ...tail].map((piece) => {
    const { class_name, config } = nodeOf(names, piece);
    return { class_name, config };
  });
  if (dice.chance(0.15)) all.splice(0, 2, nested(names, all.slice(0, 2), imageShape));
  const first = all[0]!;
  const layers =
    dice.chance(0.5) || first.class_name === 'Sequential'
      ? [inputLayer(imageShape), ...all]
      : [{ ...first, config: { ...first.config, batch_input_shape: [null, ...imageShape] } }, ...all.slice(1)];
  return { class_name: 'Sequential', config: { name: 'model', layers } };
}

function inputLayer(shape: Shape): LayerNode {
  const config = { batch_input_shape: [null, ...shape], dtype: 'float32', sparse: false, ragged: false, name: 'input' };
  return { class_name: 'InputLayer', config };
}

/** The first layers as a model of their own. */
function nested(names: Names, layers: readonly LayerNode[], shape: Shape): LayerNode {
  const [first, ...rest] = layers as [LayerNode, ...LayerNode[]];
  const inner = [{ ...first, config: { ...first.config, batch_input_shape: [null, ...shape] } }, ...rest];
  const name = names.of('part');
  return { class_name: 'Sequential', config: { name, layers: inner } };
}

function functionalModel(dice: Dice, names: Names, imageShape: Shape, classes: number): Topology {
  const graph = new GraphBuilder(names, imageShape);
  graph.chain(chainOf(dice, imageShape, dice.int(1, 2)));
  if (dice.chance(0.7)) graph.branch(dice);
  graph.chain(chainOf(dice, graph.shape, dice.int(0, 1)));
  graph.chain(tailOf(graph.shape, classes));
  return graph.model();
}

type Reference = [name: string, node: number, tensor: number, kwargs: Config];

/** Adds layers to a functional model, each after the last. */
class GraphBuilder {
  readonly #layers: LayerNode[];
  #last: Reference = ['input', 0, 0, {}];

  constructor(
    private readonly names: Names,
    public shape: Shape,
  ) {
    this.#layers = [{ ...inputLayer(shape), name: 'input', inbound_nodes: [] }];
  }

  chain(pieces: readonly Piece[]): void {
    for (const piece of pieces) this.#add(nodeOf(this.names, piece), [[this.#last]], piece.shape);
  }

  /** Two branches from the last layer, with a shared layer or one layer each, and their merge. */
  branch(dice: Dice): void {
    const [start, from] = [this.#last, this.shape];
    const width = dice.int(1, 3);
    const merge = dice.pick(merges);
    const left = branchPiece(dice, from, width);
    const way = nodeOf(this.names, left);
    const other: Reference = dice.chance(0.2) ? this.#shared(dice, way, start) : this.#own(dice, start, from, width);
    if (!this.#layers.includes(way)) this.#add(way, [[start]], left.shape);
    const axis = merge === 'Concatenate' && dice.chance(0.5) ? { axis: dice.pick([1, -1]) } : {};
    const ways: Reference[] = [[way.name!, 0, 0, {}], other];
    this.#add(
      nodeOf(this.names, { className: merge, config: axis, shape: [] }),
      [ways],
      this.#merged(merge, axis, left.shape),
    );
  }

  model(): Topology {
    const [name, node, tensor] = this.#last;
    return {
      class_name: 'Functional',
      config: {
        name: 'model',
        layers: this.#layers,
        input_layers: [['input', 0, 0]],
        output_layers: [[name, node, tensor]],
      },
    };
  }

  #own(dice: Dice, start: Reference, from: Shape, width: number): Reference {
    const piece = branchPiece(dice, from, width);
    const node = nodeOf(this.names, piece);
    this.#add(node, [[start]], piece.shape);
    return [node.name!, 0, 0, {}];
  }

  /** The layer called twice, the second time after an activation. */
  #shared(dice: Dice, way: LayerNode, start: Reference): Reference {
    const config = { activation: dice.pick(['tanh', 'sigmoid']) };
    const before = nodeOf(this.names, { className: 'Activation', config, shape: this.shape });
    this.#add(before, [[start]], this.shape);
    this.#add(way, [[start], [[before.name!, 0, 0, {}]]], this.shape);
    return [way.name!, 1, 0, {}];
  }

  #merged(merge: string, { axis }: Config, shape: Shape): Shape {
    if (merge !== 'Concatenate') return shape;
    const at = axis === 1 ? 0 : shape.length - 1;
    return shape.map((n, i) => (i === at ? 2 * n : n));
  }

  #add(node: LayerNode, inbound: Reference[][], shape: Shape): void {
    node.inbound_nodes = inbound;
    this.#layers.push(node);
    this.#last = [node.name!, 0, 0, {}];
    this.shape = shape;
  }
}

/** A chain of layers for images, sometimes by way of their rows. */
function chainOf(dice: Dice, from: Shape, length: number): Piece[] {
  const pieces: Piece[] = from.length === 3 && dice.chance(0.25) ? [rowsOf(from)] : [];
  for (let i = 0; i < length; i++) pieces.push(randomPiece(dice, shapeAfter(pieces, from)));
  return pieces;
}

function shapeAfter(pieces: readonly Piece[], from: Shape): Shape {
  return pieces.at(-1)?.shape ?? from;
}

function nodeOf(names: Names, { className, config }: Piece): LayerNode {
  const name = names.of(className);
  return { class_name: className, name, config: { name, ...withInnerNames(name, config) } };
}

/** A wrapped layer is called after its wrapper. */
function withInnerNames(name: string, config: Config): Config {
  const inner = config['layer'] as LayerNode | undefined;
  return inner ? { ...config, layer: { ...inner, config: { ...inner.config, name: `${name}_inner` } } } : config;
}
