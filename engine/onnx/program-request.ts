import type { ProgramSpec } from '../engine.js';

/** Formulation of operations: `nchwc` for CPUs, in blocks of this many channels; `im2col` for GPUs; `portable` for both. */
export type Target = 'portable' | 'im2col' | { readonly nchwc: number };

/** A program to compile: one of a job, or a probe that shows which formulations work on this machine. */
export type ProgramRequest =
  | { readonly kind: 'program'; readonly target: Target; readonly spec: ProgramSpec }
  | { readonly kind: 'probe'; readonly target: Target; readonly block: number }
  | { readonly kind: 'gpuProbe'; readonly target: Target }
  | { readonly kind: 'blockProbe' };
