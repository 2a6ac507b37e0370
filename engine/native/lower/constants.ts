import type { ConstantData, Node } from '../../ir/node.js';
import { constantData } from '../../ir/graph.js';
import type { Buffer } from '../plan/plan-op.js';

/** Constants of a plan: f32 and i32 words; booleans are i32. Equal scalars are stored once. */
export class Constants {
  private readonly parts: Uint8Array[] = [];
  private bytes = 0;
  private readonly scalars = new Map<number, Buffer>();
  private readonly arrays = new Map<Node, Buffer>();

  /** Buffer ids are negative, so that they differ from those of a `Lowering`. */
  private nextId = -1;

  scalar(value: number, dtype: Node['dtype']): Buffer {
    const data = dtype === 'float32' ? Float32Array.of(value) : Int32Array.of(value);
    const bits = new Int32Array(data.buffer)[0]!;
    const existing = this.scalars.get(bits);
    if (existing) return existing;
    const made = this.add(data);
    this.scalars.set(bits, made);
    return made;
  }

  /** Elements of a constant node. */
  array(node: Node): Buffer {
    const existing = this.arrays.get(node);
    if (existing) return existing;
    const made = this.add(constantData(node)!);
    this.arrays.set(node, made);
    return made;
  }

  build(): Uint8Array {
    const all = new Uint8Array(this.bytes);
    this.parts.reduce((offset, part) => (all.set(part, offset), offset + part.length), 0);
    return all;
  }

  private add(data: ConstantData): Buffer {
    const words = data instanceof Uint8Array ? Int32Array.from(data) : data;
    const part = new Uint8Array(words.buffer, words.byteOffset, words.byteLength).slice();
    const made: Buffer = {
      id: this.nextId--,
      words: words.length,
      items: 1,
      fixed: { space: 'constants', byte: this.bytes },
    };
    this.parts.push(part);
    this.bytes += part.length;
    return made;
  }
}
