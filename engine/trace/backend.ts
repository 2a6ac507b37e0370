import type { DataType, TensorInfo } from '@tensorflow/tfjs-core';
import { EngineError } from '../errors.js';
import { constantData, Graph } from '../ir/graph.js';
import type { ConstantData, DType, Node } from '../ir/node.js';
import { reshape } from '../ir/shape-ops.js';
import { sameShape } from '../ir/shape.js';
import { tf } from '../model/tfjs/tf.js';

/**
 * A TF.js backend whose tensors are nodes of a graph: running TF.js code with it records the computation.
 *
 * Its kernels are in `kernels/`. Traces are synchronous and don't overlap.
 */
export class TraceBackend {
  graph = new Graph();
  /** Name of the layer whose call or gradient is being traced, for messages. */
  layer: string | undefined;
  private nodes = new WeakMap<object, Node>();
  /** Layer that created each node. */
  private creators = new WeakMap<Node, string | undefined>();
  /** Reference counts of the keys of `nodes`, which TF.js queries to count its tensors. */
  private readonly references = new Map<object, number>();

  /** Starts a new trace. Tensors of the previous one become invalid. */
  start(): Graph {
    this.graph = new Graph();
    this.nodes = new WeakMap();
    this.creators = new WeakMap();
    this.references.clear();
    this.layer = undefined;
    return this.graph;
  }

  /** Node of a tensor. A tensor of another backend becomes a constant. */
  nodeOf(tensor: TensorInfo): Node {
    const node = this.nodes.get(tensor.dataId) ?? this.adopt(tensor);
    return sameShape(node.shape, tensor.shape) ? node : reshape(this.graph, node, tensor.shape);
  }

  /** Tensor of a node. */
  tensorOf(node: Node) {
    return tf.engine().makeTensorFromTensorInfo(this.infoOf(node));
  }

  infoOf(node: Node): TensorInfo {
    return { dataId: this.remember(node), shape: [...node.shape], dtype: node.dtype };
  }

  /** Name of the layer that created a node. */
  layerOf(node: Node): string | undefined {
    return this.creators.get(node);
  }

  private adopt(tensor: TensorInfo): Node {
    const values = tf.engine().readSync(tensor.dataId) as ConstantData;
    return this.constant(values, tensor.shape, tensor.dtype);
  }

  private constant(values: ArrayLike<number>, shape: readonly number[], dtype: DataType): Node {
    const type = arrayTypes[supported(dtype)];
    return this.graph.constant(new type(values), shape, supported(dtype));
  }

  private remember(node: Node): object {
    const dataId = {};
    if (!this.creators.has(node)) this.creators.set(node, this.layer);
    this.nodes.set(dataId, node);
    this.references.set(dataId, 1);
    return dataId;
  }

  // TF.js's backend interface.

  write(values: ArrayLike<number>, shape: number[], dtype: DataType): object {
    return this.remember(this.constant(values, shape, dtype));
  }

  move(dataId: object, values: ArrayLike<number>, shape: number[], dtype: DataType, references: number): void {
    this.nodes.set(dataId, this.constant(values, shape, dtype));
    this.references.set(dataId, references);
  }

  readSync(dataId: object): ConstantData {
    const node = this.nodes.get(dataId);
    const data = node && constantData(node);
    if (data) return data;
    throw new EngineError(
      'UNSUPPORTED_MODEL',
      `compile: expected a model whose operations do not depend on values, got one that reads a tensor` +
        `${this.place()}; remove the data-dependent operation`,
      this.layer === undefined ? {} : { context: { layer: this.layer } },
    );
  }

  read(dataId: object): Promise<ConstantData> {
    return Promise.resolve(this.readSync(dataId));
  }

  /** ` in layer "name"` for messages; empty outside of layers, as in the loss. */
  place(): string {
    return this.layer === undefined ? '' : ` in layer ${JSON.stringify(this.layer)}`;
  }

  numDataIds(): number {
    return this.references.size;
  }

  /** Removes one reference, or all with `force`. @returns true if none is left. */
  disposeData(dataId: object, force = false): boolean {
    this.decRef(dataId);
    if (this.refCount(dataId) > 0 && !force) return false;
    this.references.delete(dataId);
    return true;
  }

  incRef(dataId: object): void {
    this.references.set(dataId, this.refCount(dataId) + 1);
  }

  decRef(dataId: object): void {
    this.references.set(dataId, this.refCount(dataId) - 1);
  }

  refCount(dataId: object): number {
    return this.references.get(dataId) ?? 0;
  }

  dispose(): void {}

  timerAvailable(): boolean {
    return false;
  }

  floatPrecision(): 32 {
    return 32;
  }

  epsilon(): number {
    return 1e-7;
  }
}

const arrayTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

function supported(dtype: DataType): DType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new EngineError(
    'UNSUPPORTED_MODEL',
    `compile: expected float32, int32 or bool tensors, got ${dtype}; change the model`,
  );
}
