import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placeOf, planMemory, type TimedAccess } from '../../../../engine/native/plan/memory.js';
import type { Buffer } from '../../../../engine/native/plan/plan-op.js';

function buffer(id: number, words: number, items = 1): Buffer {
  return { id, words, items };
}

function access(
  of: Buffer,
  phase: number,
  change: Partial<TimedAccess['time']> = {},
  by: 'item' | 'whole' = 'item',
): TimedAccess {
  return { buffer: of, by, time: { phase, job: 0, position: 0, isImages: true, ...change } };
}

describe('memory of a program', () => {
  it('never gives two values the same bytes while both are needed', () => {
    const lives = fc.array(fc.record({ words: fc.integer({ min: 1, max: 99 }), from: fc.nat(9), length: fc.nat(5) }), {
      minLength: 2,
      maxLength: 30,
    });
    fc.assert(
      fc.property(lives, (all) => {
        const accesses = all.flatMap(({ words, from, length }, id) => {
          return [from, from + length].map((phase) => access(buffer(id, words), phase, { isImages: false }));
        });
        const memory = planMemory(accesses, new Map());
        const spans = all.map((life, id) => {
          const { byte } = placeOf(memory, buffer(id, life.words));
          return { ...life, byte, end: byte + 4 * life.words, to: life.from + life.length };
        });
        for (const [i, a] of spans.entries()) {
          expect(a.end).toBeLessThanOrEqual(memory.arenaBytes);
          for (const b of spans.slice(i + 1)) {
            const meet = a.from <= b.to && b.from <= a.to;
            expect(meet && a.byte < b.end && b.byte < a.end).toBe(false);
          }
        }
      }),
    );
  });

  it('keeps values of one phase and one job in scratch memory, which holds one image', () => {
    const value = buffer(1, 100, 49);
    const memory = planMemory([access(value, 3), access(value, 3, { position: 2 })], new Map());
    expect(placeOf(memory, value)).toEqual({ space: 'scratch', byte: 0, stride: 0 });
    expect(memory).toMatchObject({ arenaBytes: 0, scratchBytes: 448 });
  });

  it.each([
    ['another phase', access(buffer(1, 100, 49), 4)],
    ['another job', access(buffer(1, 100, 49), 3, { job: 1 })],
    ['the whole value', access(buffer(1, 100, 49), 3, {}, 'whole')],
    ['another division into items', access(buffer(1, 4900), 3)],
  ])('keeps a value in the arena, an image after another, if %s needs it', (_, other) => {
    const value = buffer(1, 100, 49);
    const memory = planMemory([access(value, 3), other], new Map());
    expect(placeOf(memory, value)).toEqual({ space: 'arena', byte: 0, stride: 100 });
    expect(memory.arenaBytes).toBe(19_648);
  });

  it('leaves results where the caller wants them', () => {
    const result = buffer(1, 100);
    const memory = planMemory([access(result, 3)], new Map([[1, { space: 'outA', byte: 40 }]]));
    expect(placeOf(memory, result)).toEqual({ space: 'outA', byte: 40, stride: 0 });
    expect(memory.arenaBytes).toBe(0);
  });
});
