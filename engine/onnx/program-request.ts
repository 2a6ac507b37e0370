import type { ProgramSpec } from '../engine.js';

/** Formulation of operations: `im2col` for GPUs; `portable` with standard ONNX operators. */
export type Target = 'portable' | 'im2col';

/** A program to compile: one of a job, or the probe that compares a GPU with the CPU. */
export type ProgramRequest =
  | { readonly kind: 'program'; readonly target: Target; readonly spec: ProgramSpec }
  | { readonly kind: 'gpuProbe'; readonly target: Target };
