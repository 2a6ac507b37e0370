import { maskInput } from '../../../engine/feeds.js';
import { Graph } from '../../../engine/ir/graph.js';
import type { DType, Node } from '../../../engine/ir/node.js';
import { cast } from '../../../engine/ir/shape-ops.js';
import { type Shape, sizeOf } from '../../../engine/ir/shape.js';
import type { ProgramArrays } from '../../../engine/native/reference/evaluate.js';
import type { TracedProgram } from '../../../engine/trace/program.js';
import { RandomSource } from './random-source.js';
import { builders } from './random-nodes.js';

/** A small program of random operations, and its inputs. */
export interface RandomProgram {
  readonly seed: number;
  readonly program: TracedProgram;
  readonly batch: number;
  readonly imageShape: readonly [number, number, number];
  readonly inputs: ProgramArrays;
}

/** Sizes from which images are drawn: ordinary ones, many small ones, or a large one, to reach every stage of sums. */
interface Profile {
  readonly images: readonly [number, number];
  readonly side: readonly [number, number];
  readonly channels: readonly number[];
}
const profiles: readonly [Profile, ...Profile[]] = [
  { images: [1, 7], side: [1, 9], channels: [1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 32, 33] },
  { images: [33, 75], side: [1, 3], channels: [1, 3, 8, 16, 17] },
  { images: [1, 2], side: [17, 24], channels: [1, 2, 3, 17] },
];

/** Nodes of a program in the making. Operations take operands from it and add their results. */
export class Draft {
  readonly graph = new Graph();
  readonly batch: number;
  readonly imageShape: readonly [number, number, number];
  readonly params: { readonly node: Node; readonly values: Float32Array }[] = [];
  readonly masks: { readonly name: string; readonly shape: Shape; readonly size: number; readonly rate: number }[] = [];
  readonly nodes: Node[] = [];
  private readonly profile: Profile;

  constructor(readonly random: RandomSource) {
    this.profile = random.of([profiles[0], ...profiles]);
    this.batch = random.int(...this.profile.images);
    this.imageShape = [this.side(), this.side(), random.of(this.profile.channels)];
  }

  side(): number {
    return this.random.int(...this.profile.side);
  }

  /** The program's batch, mostly. */
  images(): number {
    return this.random.chance(0.8) ? this.batch : this.random.int(...this.profile.images);
  }

  channels(): number {
    return this.random.of(this.profile.channels);
  }

  /** A shape of images, rows or anything else. */
  shape(): number[] {
    const { random } = this;
    const image = [this.images(), this.side(), this.side(), this.channels()];
    const any = Array.from({ length: random.int(0, 4) }, () => random.int(1, 7));
    return random.of([image, image, [this.images(), random.int(1, 40)], [random.int(1, 600)], any]);
  }

  /** An existing tensor of this type that fits, or a new one of a shape. */
  operand(shape: () => readonly number[], fits: (node: Node) => boolean = () => false, dtype: DType = 'float32'): Node {
    const found = this.nodes.filter((node) => node.dtype === dtype && fits(node));
    if (found.length > 0 && this.random.chance(0.7)) return this.random.of(found);
    return this.fresh(shape(), dtype);
  }

  /** A new tensor: weights, images, a mask or a constant; integers and booleans are made of weights. */
  fresh(shape: readonly number[], dtype: DType = 'float32'): Node {
    const { graph, random } = this;
    if (dtype === 'int32' && shape.length === 1 && shape[0] === this.batch && random.chance(0.5)) return this.labels();
    if (dtype === 'int32') return cast(graph, this.weight(shape, this.integers(sizeOf(shape))), dtype);
    if (dtype === 'bool') return cast(graph, this.weight(shape, this.integers(sizeOf(shape), 1)), dtype);
    if (random.chance(0.1)) return graph.constant(random.numbers(sizeOf(shape)), shape, dtype);
    if (random.chance(0.1)) return this.mask(shape);
    const isImages = shape.join() === [this.batch, ...this.imageShape].join();
    if (isImages && random.chance(0.6)) return cast(graph, this.pixels(), 'float32');
    return this.weight(shape, random.numbers(sizeOf(shape)));
  }

  /** Exponents, counts or anything that int32 can hold. */
  integers(size: number, largest = this.random.of([3, 40, 2 ** 31])): Float32Array {
    return Float32Array.from({ length: size }, () => this.random.int(-largest, largest));
  }

  weight(shape: readonly number[], values: Float32Array): Node {
    const node = this.graph.param(`p${this.params.length}`, shape);
    this.params.push({ node, values });
    return node;
  }

  private pixels(): Node {
    return this.graph.input('images', [this.batch, ...this.imageShape], 'int32', 'uint8');
  }

  private labels(): Node {
    return this.graph.input('labels', [this.batch], 'int32', 'int32');
  }

  private mask(shape: readonly number[]): Node {
    const name = `m${this.masks.length}`;
    this.masks.push({ name, shape, size: sizeOf(shape), rate: 0.5 });
    return this.graph.input(maskInput(name), shape, 'float32', 'float32');
  }
}

/**
 * A program of up to `length` random operations; the first is of the given kind.
 * @param kind - key of `builders`.
 */
export function randomProgram(seed: number, kind: string, length = 4): RandomProgram {
  const random = new RandomSource(seed);
  const draft = new Draft(random);
  const kinds = [kind, ...Array.from({ length: random.int(0, length - 1) }, () => random.of(Object.keys(builders)))];
  for (const each of kinds) draft.nodes.push(builders[each]!(draft));
  const last = draft.nodes.at(-1)!;
  const results = draft.nodes.filter((node) => node === last || random.chance(0.5));
  const [first, second] = random.chance(0.3) ? [results.slice(0, 1), results.slice(1)] : [results, []];
  const state = random.int(0, draft.params.length);
  const inputs = {
    params: flat(draft.params.slice(state)),
    state: flat(draft.params.slice(0, state)),
    images: Uint8Array.from({ length: draft.batch * sizeOf(draft.imageShape) }, () => random.int(0, 255)),
    labels: Int32Array.from({ length: draft.batch }, () => random.int(-9, 9)),
    ...Object.fromEntries(draft.masks.map(({ name, size }) => [maskInput(name), random.numbers(size)])),
  };
  const program: TracedProgram = {
    graph: draft.graph,
    flatInputs: [
      { name: 'params', pieces: draft.params.slice(state).map(({ node }) => node) },
      { name: 'state', pieces: draft.params.slice(0, state).map(({ node }) => node) },
    ],
    outputs: [
      { kind: 'flat', name: 'gradient', pieces: first },
      ...(second.length > 0 ? [{ kind: 'flat', name: 'statistics', pieces: second } as const] : []),
    ],
    masks: draft.masks,
  };
  return { seed, program, batch: draft.batch, imageShape: draft.imageShape, inputs };
}

function flat(params: readonly { readonly values: Float32Array }[]): Float32Array {
  return Float32Array.from(params.flatMap(({ values }) => [...values]));
}
