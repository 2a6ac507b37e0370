import type { Graph } from '../ir/graph.js';
import type { Node } from '../ir/node.js';

/** One call of a TF.js kernel under the trace backend. */
export class KernelCall {
  constructor(
    readonly graph: Graph,
    private readonly named: Readonly<Record<string, Node | undefined>>,
    private readonly rawAttrs: object,
  ) {}

  /** Required input `name`. */
  input(name: string): Node {
    const node = this.named[name];
    if (!node) throw new Error(`kernel input ${name} is missing`);
    return node;
  }

  optional(name: string): Node | undefined {
    return this.named[name];
  }

  /** All inputs in order, for kernels with a list of inputs. */
  list(): Node[] {
    return Object.values(this.named).filter((node) => node !== undefined);
  }

  /** Attributes as TF.js's type for the kernel. */
  attrs<T>(): T {
    return this.rawAttrs as T;
  }
}

/** Builds the nodes of a kernel call. @throws Unsupported for unsupported attributes. */
export type Kernel = (call: KernelCall) => Node | Node[];
export type KernelTable = Readonly<Record<string, Kernel>>;

/** An unsupported use of a kernel; the reason is appended to the message. */
export class Unsupported extends Error {}
