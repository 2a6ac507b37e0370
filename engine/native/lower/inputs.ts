import type { NodeOf } from '../../ir/node.js';
import { maskInput } from '../../feeds.js';
import type { MaskInfo } from '../../engine.js';
import type { FlatInput } from '../../trace/program.js';
import type { Space } from '../plan/opcodes.js';

/** Positions of a program's inputs and weights in the caller's memory. */
export class Inputs {
  private readonly weights = new Map<NodeOf<'param'>, { readonly space: Space; readonly byte: number }>();
  private readonly masks = new Map<string, number>();

  constructor(flatInputs: readonly FlatInput[], masks: readonly MaskInfo[]) {
    for (const { name, pieces } of flatInputs) {
      pieces.reduce((byte, piece) => {
        this.weights.set(piece as NodeOf<'param'>, { space: name, byte });
        return byte + piece.size * 4;
      }, 0);
    }
    masks.reduce((byte, { name, size }) => (this.masks.set(maskInput(name), byte), byte + size * 4), 0);
  }

  placeOf(node: NodeOf<'param' | 'input'>): { readonly space: Space; readonly byte: number } {
    if (node.op === 'param') return this.weights.get(node as NodeOf<'param'>)!;
    const { name } = node.attrs;
    if (name === 'images' || name === 'labels') return { space: name, byte: 0 };
    return { space: 'masks', byte: this.masks.get(name)! };
  }
}
