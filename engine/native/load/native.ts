import type { InstructionSet } from '../../engine.js';

/**
 * Caller's memory of a program: parameters, state, images, labels, masks; gradient or log probabilities, statistics,
 * loss and correct predictions. Each has exactly the bytes of the plan; the last three are written and share no memory
 * with others.
 */
export type ProgramBuffers = readonly [
  params: Float32Array,
  state: Float32Array,
  images: Uint8Array,
  labels: Int32Array,
  masks: Float32Array,
  outA: Float32Array,
  outB: Float32Array,
  outC: Uint32Array,
];

/** A kernel plan with its memory. Belongs to the thread that created it. */
export interface NativeProgram {
  /**
   * Runs the plan; returns when the outputs are written.
   *
   * @throws EngineError BAD_INPUT for a buffer of another length, DISPOSED after `dispose`.
   */
  run(buffers: ProgramBuffers): void;
  /** Sets the number of threads of the next runs, at most `maxThreads`. Results don't depend on it. */
  setThreads(threads: number): void;
  /** Stops the threads and frees the memory. Further calls do nothing. */
  dispose(): void;
}

/** Functions of the addon (kernels/vectors-addon.c): vectors first, then numbers, used in place. */
export interface VectorKernels {
  add(left: Float32Array, right: Float32Array): void;
  allFinite(values: Float32Array): boolean;
  sgd(...vectorsAndNumbers: readonly (Float32Array | number)[]): void;
  momentum(...vectorsAndNumbers: readonly (Float32Array | number)[]): void;
  adam(...vectorsAndNumbers: readonly (Float32Array | number)[]): void;
}

/** Kernels of one instruction set. */
export interface NativeRuntime {
  readonly isa: InstructionSet;
  /** Prebuilt file, such as `linux-x64.node`. */
  readonly target: string;
  /** Why this one was chosen, for status and report. */
  readonly reason: string;
  /** Most threads of a program; 1 in WebAssembly. */
  readonly maxThreads: number;
  /** Arithmetic on parameters; absent in WebAssembly. */
  readonly vectors?: VectorKernels;
  /**
   * Validates the plan and gets its memory; `threads` beyond `maxThreads` are not used.
   *
   * @throws EngineError RUNTIME for a plan that could access memory outside its buffers, or if there is no memory.
   */
  createProgram(plan: Float64Array, constants: Uint8Array, threads: number): NativeProgram;
}
