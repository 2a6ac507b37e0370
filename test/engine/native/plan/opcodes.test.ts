import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as opcodes from '../../../../engine/native/plan/opcodes.js';

const file = new URL('../../../../engine/native/kernels/plan.h', import.meta.url);
const header = readFileSync(file, 'utf8').replaceAll(/\/\*.*?\*\//gs, '');

/** Names and values of an enum of the header, as C counts them. */
function enumOf(name: string): Record<string, number> {
  const body = new RegExp(`enum ${name} \\{(.*?)\\};`, 's').exec(header)![1]!;
  let next = 0;
  const entries = body.split(',').flatMap((entry) => {
    const [key, value] = entry.split('=').map((part) => part.trim());
    if (!key) return [];
    if (value !== undefined) next = Number(value);
    return [[key, next++] as const];
  });
  return Object.fromEntries(entries);
}

/** `sumItems` as `SUM_ITEMS`. */
function upper(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

describe('numbers of kernel plans are those of plan.h', () => {
  it('operations', () => {
    const { OPS, ...expected } = enumOf('Op');
    const ours = Object.fromEntries(Object.entries(opcodes.op).map(([name, code]) => [`OP_${upper(name)}`, code]));
    expect(ours).toEqual(expected);
    expect(OPS).toBe(Object.keys(ours).length + 1);
  });

  it('instructions', () => {
    const { INSTRUCTIONS, ...expected } = enumOf('Instruction');
    const renamed = (name: string) => (/^i[A-Z]/.test(name) ? `I${upper(name.slice(1)).slice(1)}` : upper(name));
    const entries = Object.entries(opcodes.instruction).map(([name, code]) => [`I_${renamed(name)}`, code]);
    const ours = Object.fromEntries(entries) as Record<string, number>;
    // C's names have no underscores in these.
    ours['I_FLOORDIV'] = ours['I_FLOOR_DIV']!;
    ours['I_IFLOORDIV'] = ours['I_IFLOOR_DIV']!;
    delete ours['I_FLOOR_DIV'];
    delete ours['I_IFLOOR_DIV'];
    expect(ours).toEqual(expected);
    expect(INSTRUCTIONS).toBe(entries.length + 1);
  });

  it('kinds of reductions, filters, operands and sinks', () => {
    const lists = [
      ['ReduceKind', 'REDUCE_', opcodes.reduceKind],
      ['PackMode', 'PACK_', opcodes.packMode],
      ['OperandKind', 'OPERAND_', opcodes.operandKind],
    ] as const;
    for (const [name, prefix, ours] of lists) {
      const entries = Object.entries(ours).map(([key, value]) => [`${prefix}${upper(key)}`, value]);
      expect(Object.fromEntries(entries)).toEqual(enumOf(name));
    }
    expect(enumOf('SinkKind')).toMatchObject({ SINK_STORE: opcodes.sinkKind.store, SINK_SUM4: opcodes.sinkKind.sum4 });
  });

  it('memories', () => {
    const { SPACES, ...expected } = enumOf('Space');
    const ours = Object.fromEntries(opcodes.spaces.map((name, i) => [upper(name), i]));
    expect(ours).toEqual(expected);
    expect(SPACES).toBe(opcodes.spaces.length);
  });
});
