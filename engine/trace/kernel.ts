import type { Graph } from '../ir/graph.js';
import type { Node } from '../ir/node.js';

/** One call of a TF.js kernel under the trace backend. */
export class KernelCall {
  constructor(
    readonly graph: Graph,
    private readonly named: Readonly<Record<string, Node | undefined>>,
    private readonly rawAttrs: object,
  ) {}

  /** The input of this name, which TF.js always gives. */
  input(name: string): Node {
    const node = this.named[name];
    if (!node) throw new Error(`kernel input ${name} is missing`);
    return node;
  }

  optional(name: string): Node | undefined {
    return this.named[name];
  }

  /** All inputs in order, for kernels that take a list. */
  list(): Node[] {
    return Object.values(this.named).filter((node) => node !== undefined);
  }

  /** The attributes, as the type that TF.js publishes for the kernel. */
  attrs<T>(): T {
    return this.rawAttrs as T;
  }
}

/** Says what a kernel computes, in the terms of the graph. Throws `Unsupported` for attributes that it does not know. */
export type Kernel = (call: KernelCall) => Node | Node[];
export type KernelTable = Readonly<Record<string, Kernel>>;

/** A use of a kernel that is not lowered; the reason is appended to the message. */
export class Unsupported extends Error {}
