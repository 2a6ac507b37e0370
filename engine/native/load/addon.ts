import { createRequire } from 'node:module';
import type { InstructionSet } from '../../engine.js';
import { disposedError } from '../../errors.js';
import type { IsaState } from './choose.js';
import { nativeError } from './native-error.js';
import type { NativeProgram, NativeRuntime, ProgramBuffers, VectorKernels } from './native.js';

/** Program of the addon; opaque. */
type Handle = object;

/** Functions of kernels/addon.c and vectors-addon.c. */
export interface Addon {
  isas(): IsaState[];
  createProgram(plan: Float64Array, constants: Uint8Array, threads: number, isa: string): Handle;
  run(program: Handle, buffers: ProgramBuffers): void;
  setThreads(program: Handle, threads: number): void;
  dispose(program: Handle): void;
  createVectors(isa: string): VectorKernels;
}

/** Loads a prebuilt addon. @throws Error of the system's loader. */
export function openAddon(file: string): Addon {
  return createRequire(import.meta.url)(file) as Addon;
}

/** Most threads of a program: MAX_THREADS of kernels/threads.h. */
const maxThreads = 256;

export function addonRuntime(addon: Addon, isa: InstructionSet, target: string, reason: string): NativeRuntime {
  return {
    isa,
    target,
    reason,
    maxThreads,
    vectors: translate(() => addon.createVectors(isa)),
    createProgram: (plan, constants, threads) => {
      const handle = translate(() => addon.createProgram(plan, constants, Math.min(threads, maxThreads), isa));
      return new AddonProgram(addon, handle);
    },
  };
}

class AddonProgram implements NativeProgram {
  #handle: Handle | undefined;

  constructor(
    private readonly addon: Addon,
    handle: Handle,
  ) {
    this.#handle = handle;
  }

  run(buffers: ProgramBuffers): void {
    const handle = this.active();
    translate(() => this.addon.run(handle, buffers));
  }

  setThreads(threads: number): void {
    const handle = this.active();
    translate(() => this.addon.setThreads(handle, Math.min(threads, maxThreads)));
  }

  dispose(): void {
    if (this.#handle !== undefined) this.addon.dispose(this.#handle);
    this.#handle = undefined;
  }

  private active(): Handle {
    if (this.#handle === undefined) throw disposedError();
    return this.#handle;
  }
}

function translate<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const { code, message } = cause as Error & { code?: string };
    throw nativeError(code, message, cause);
  }
}
