import { describe, expect, it } from 'vitest';
import { dependenciesOf } from '../../../../engine/native/plan/dependencies.js';
import { ElementwiseGroup } from '../../../../engine/native/plan/elementwise-group.js';
import { fuse } from '../../../../engine/native/plan/fuse.js';
import type { Instruction } from '../../../../engine/native/plan/opcodes.js';
import { assignPhases } from '../../../../engine/native/plan/phases.js';
import {
  type Access,
  type Buffer,
  type ElementwiseStep,
  type Grid,
  type KernelOp,
  type PlanOp,
  single,
} from '../../../../engine/native/plan/plan-op.js';
import { recompute } from '../../../../engine/native/plan/recompute.js';

const images: Grid = { kind: 'image', items: 8 };
const words = 64;
let id = 0;

function value(items = 8): Buffer {
  return { id: id++, words, items };
}

function step(instruction: Instruction | 'sum4', operands: readonly Buffer[], result = value()): ElementwiseStep {
  return {
    kind: 'step',
    space: { grid: images, planes: 1, count: words },
    instruction,
    operands: operands.map((buffer) => ({
      kind: buffer.items === 1 ? 'vector' : 'stream',
      buffer,
      by: buffer.items === 1 ? 'whole' : 'item',
      plane: buffer.items === 1 ? 16 : words,
    })),
    result,
  };
}

function kernel(grid: Grid, reads: readonly Buffer[], writes: readonly Buffer[], by: Access['by'] = 'item'): KernelOp {
  const accesses = (buffers: readonly Buffer[]) => buffers.map((buffer): Access => ({ buffer, by }));
  return {
    kind: 'kernel',
    code: 8,
    grid,
    args: reads.map((at) => ({ at })),
    reads: accesses(reads),
    writes: accesses(writes),
  };
}

describe('phases', () => {
  it('are one for operations that need each other image by image, and another for all images', () => {
    const [x, y, z, total] = [value(), value(), value(), value(1)];
    const ops: PlanOp[] = [
      kernel(images, [x], [y]),
      step('relu', [y], z),
      kernel(single, [z], [total], 'whole'),
      step('mul', [z, total]),
    ];
    const phases = assignPhases(ops, dependenciesOf(ops));
    expect(ops.map((op) => phases.get(op))).toEqual([0, 0, 1, 2]);
  });

  it('are as late as the users of a result allow', () => {
    const [x, packed, y, sum] = [value(), value(1), value(), value(1)];
    const pack = kernel(single, [], [packed]);
    const ops: PlanOp[] = [
      pack,
      kernel(images, [x], [y]),
      kernel(single, [y], [sum], 'whole'),
      kernel(images, [y, packed, sum], [value()], 'whole'),
    ];
    expect(assignPhases(ops, dependenciesOf(ops)).get(pack)).toBe(1);
  });
});

describe('elementwise steps', () => {
  const grouped = (ops: readonly PlanOp[], stored: readonly PlanOp[]) =>
    fuse(ops, dependenciesOf(ops), (each) => stored.includes(each));

  it('are one kernel, with the sum of their result, and store only what others read', () => {
    const [x, scale, shift] = [value(), value(1), value(1)];
    const product = step('mul', [x, scale]);
    const sum = step('add', [product.result, shift]);
    const total = step('sum4', [sum.result], value());
    const [group, ...others] = grouped([product, sum, total], [sum]);
    expect(others).toEqual([]);
    expect(group).toBeInstanceOf(ElementwiseGroup);
    expect((group as ElementwiseGroup).writes.map(({ buffer }) => buffer)).toEqual([sum.result, total.result]);
    expect((group as ElementwiseGroup).reads.map(({ buffer }) => buffer)).toEqual([x, scale, shift]);
  });

  it('are two kernels if another one must run between them', () => {
    const before = step('relu', [value()]);
    const y = value();
    const conv = kernel(images, [before.result], [y]);
    const after = step('add', [y, before.result]);
    const kernels = grouped([before, conv, after], [before, after]);
    expect(kernels.map(({ kind }) => kind)).toEqual(['group', 'kernel', 'group']);
  });

  it('wait for the kernel whose result they are used with', () => {
    const scaled = step('mul', [value(), value(1)]);
    const y = value();
    const conv = kernel(images, [value()], [y]);
    const sum = step('add', [y, scaled.result]);
    const kernels = grouped([scaled, conv, sum], [sum]);
    expect(kernels.map(({ kind }) => kind)).toEqual(['kernel', 'group']);
  });

  it('are divided if they need more than a kernel has', () => {
    const steps: ElementwiseStep[] = [step('relu', [value()])];
    for (let i = 0; i < 200; i++) steps.push(step('neg', [steps.at(-1)!.result]));
    const kernels = grouped(steps, [steps.at(-1)!]);
    expect(kernels.length).toBeGreaterThan(2);
    expect(kernels.every((each) => (each as ElementwiseGroup).fits)).toBe(true);
  });
});

describe('cheap values', () => {
  it('are computed again in a later phase instead of being stored', () => {
    const [x, shift] = [value(), value(1)];
    const centred = step('sub', [x, shift]);
    const pool = kernel(images, [centred.result], [value()]);
    const later = kernel(images, [centred.result], [value()]);
    const phases = new Map<PlanOp, number>([
      [centred, 0],
      [pool, 0],
      [later, 2],
    ]);
    const { ops, phases: after } = recompute([centred, pool, later], phases, new Set(), () => value());
    const copies = ops.filter((op) => op.kind === 'step');
    expect(copies.map((op) => after.get(op))).toEqual([0, 2]);
    const last = ops.at(-1) as KernelOp;
    expect(last.reads[0]!.buffer.id).toBe((copies[1] as ElementwiseStep).result.id);
    expect(last.args).toEqual([{ at: last.reads[0]!.buffer }]);
  });

  it('are stored if they take long, or are made of two images', () => {
    for (const slow of [step('exp', [value()]), step('add', [value(), value()])]) {
      const later = kernel(images, [slow.result], [value()]);
      const phases = new Map<PlanOp, number>([
        [slow, 0],
        [later, 1],
      ]);
      expect(recompute([slow, later], phases, new Set(), () => value()).ops).toEqual([slow, later]);
    }
  });
});
