import type { ProgramSpec } from '../engine.js';

/** How operations are formulated: for CPUs in blocks of so many channels, for GPUs with im2col, or portably. */
export type Target = 'portable' | 'im2col' | { readonly nchwc: number };

/** What can be compiled: a program of a job, or what shows which formulations work on this machine. */
export type ProgramRequest =
  | { readonly kind: 'program'; readonly target: Target; readonly spec: ProgramSpec }
  | { readonly kind: 'probe'; readonly target: Target; readonly block: number }
  | { readonly kind: 'gpuProbe'; readonly target: Target }
  | { readonly kind: 'blockProbe' };
