import { disposedError, EngineError } from '../../errors.js';
import { wasmTarget } from './choose.js';
import { nativeError } from './native-error.js';
import type { NativeProgram, NativeRuntime, ProgramBuffers } from './native.js';

/** The part of WebAssembly's interface that is used here; Node.js and browsers have it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (module: WasmModule) => { readonly exports: unknown };
};
/** A compiled module; opaque. */
export type WasmModule = object;

/** Exports of kernels/wasm.c. Addresses are 32-bit integers, which arrive signed. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  reserve(bytes: number): number;
  create(plan: number, count: number, constants: number, bytes: number): number;
  space(space: number): number;
  bytes(space: number): number;
  run(): void;
  code(): number;
  text(): number;
}

/** Number of the first of the caller's buffers among a plan's memories, and of the first one that is written. */
const firstSpace = 3;
const firstOutput = 5;
const names = ['params', 'state', 'images', 'labels', 'masks', 'out A', 'out B', 'out C'];

/** Compiles the module. @throws CompileError of a runtime without relaxed SIMD. */
export function compileWasm(bytes: Uint8Array): WasmModule {
  return new WebAssembly.Module(bytes);
}

/** WebAssembly as a runtime: one instance, and so one memory, for each program. */
export function wasmRuntime(module: WasmModule, reason: string): NativeRuntime {
  return {
    isa: 'wasm',
    target: wasmTarget,
    reason,
    maxThreads: 1,
    createProgram: (plan, constants) => new WasmProgram(createInstance(module, plan, constants)),
  };
}

function createInstance(module: WasmModule, plan: Float64Array, constants: Uint8Array): Exports {
  const wasm = new WebAssembly.Instance(module).exports as Exports;
  const planAt = copyIn(wasm, bytesOf(plan));
  const constantsAt = copyIn(wasm, constants);
  if (wasm.create(planAt, plan.length, constantsAt, constants.length) !== 0) return wasm;
  throw nativeError(textAt(wasm, wasm.code()), textAt(wasm, wasm.text()));
}

function copyIn(wasm: Exports, bytes: Uint8Array): number {
  const address = wasm.reserve(bytes.length) >>> 0;
  if (address === 0) {
    throw new EngineError(
      'RUNTIME',
      `create program: expected ${bytes.length} bytes of WebAssembly memory, got none; use a smaller model`,
    );
  }
  new Uint8Array(wasm.memory.buffer).set(bytes, address);
  return address;
}

function textAt(wasm: Exports, address: number): string {
  const memory = new Uint8Array(wasm.memory.buffer);
  const start = address >>> 0;
  return String.fromCharCode(...memory.subarray(start, memory.indexOf(0, start)));
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

class WasmProgram implements NativeProgram {
  #wasm: Exports | undefined;

  constructor(wasm: Exports) {
    this.#wasm = wasm;
  }

  run(buffers: ProgramBuffers): void {
    if (this.#wasm === undefined) throw disposedError();
    const wasm = this.#wasm;
    const memories = names.map((_, i) => memoryOf(wasm, i, buffers[i]));
    // Outputs are copied in, too: what a plan doesn't write keeps its value, as it does in the addon.
    memories.forEach((memory, i) => memory.set(bytesOf(buffers[i]!)));
    wasm.run();
    for (let i = firstOutput; i < names.length; i++) bytesOf(buffers[i]!).set(memories[i]!);
  }

  /** WebAssembly has one thread. */
  setThreads(): void {}

  dispose(): void {
    this.#wasm = undefined;
  }
}

/** The instance's memory of one of the caller's buffers. */
function memoryOf(wasm: Exports, i: number, buffer: ArrayBufferView | undefined): Uint8Array {
  const expected = wasm.bytes(firstSpace + i);
  if (buffer?.byteLength !== expected) {
    throw new EngineError(
      'BAD_INPUT',
      `run program: expected ${expected} bytes of ${names[i]}, got ${buffer?.byteLength ?? 'none'}`,
    );
  }
  return new Uint8Array(wasm.memory.buffer, wasm.space(firstSpace + i) >>> 0, expected);
}
