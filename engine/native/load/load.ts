import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import type { InstructionSet } from '../../engine.js';
import { EngineError } from '../../errors.js';
import { addonRuntime, openAddon } from './addon.js';
import { chooseIsa, chooseTarget, type TargetChoice, wasmTarget } from './choose.js';
import type { NativeRuntime } from './native.js';
import { runSelfTest, selfTestDigest } from './self-test.js';
import { runVectorTest, vectorTestDigest } from './self-test-vectors.js';
import { compileWasm, wasmRuntime } from './wasm.js';

const prebuilt = fileURLToPath(new URL('../prebuilt/', import.meta.url));

/** The WebAssembly build, for other runtimes such as browsers. */
export const wasmFile = join(prebuilt, wasmTarget);

/** Kernels of this thread that have passed the self-test, by request. */
const loaded = new Map<InstructionSet | undefined, NativeRuntime>();

/**
 * Kernels for this computer, after a self-test: the requested instruction set, or the fastest one.
 *
 * An addon that doesn't load or fails the self-test is passed over for WebAssembly unless its instruction set was
 * requested; `reason` tells why.
 * @param folder - the prebuilt files
 * @throws EngineError RUNTIME if no target works, with all reasons.
 */
export function loadNative(requested?: InstructionSet, folder = prebuilt): NativeRuntime {
  const known = folder === prebuilt ? loaded.get(requested) : undefined;
  if (known) return known;
  const runtime = load(requested, folder);
  if (folder === prebuilt) loaded.set(requested, runtime);
  return runtime;
}

function load(requested: InstructionSet | undefined, folder: string): NativeRuntime {
  const choice = chooseTarget(process, requested);
  return firstWorking(openers(choice, folder), requested ?? 'an instruction set');
}

/** Opens a runtime; gets the problems of those before. */
type Opener = (problems: string) => NativeRuntime;

/**
 * The first runtime that opens and passes the self-test.
 *
 * @param wanted - for the message
 * @throws EngineError RUNTIME with all problems if there is none.
 */
export function firstWorking(attempts: readonly Opener[], wanted: string): NativeRuntime {
  const problems: string[] = [];
  for (const open of attempts) {
    try {
      return tested(open(problems.join('; ')));
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  throw new EngineError(
    'RUNTIME',
    `load kernels: expected ${wanted} to work on this computer, got ${problems.join('; ')}; ` +
      'use a CPU with fused multiply-add (FMA) and a current Node.js',
  );
}

/** Attempts in order. */
function openers(choice: TargetChoice, folder: string): Opener[] {
  const wasm = (problems: string) => openWasm(folder, problems || choice.reason);
  if (choice.target === wasmTarget) return [wasm];
  const addon = () => openTarget(choice, folder);
  return choice.isa === undefined ? [addon, wasm] : [addon];
}

function openTarget({ target, isa }: TargetChoice, folder: string): NativeRuntime {
  const addon = explain(target, () => openAddon(join(folder, target)));
  const chosen = chooseIsa(addon.isas(), isa);
  if ('missing' in chosen) throw new Error(chosen.missing);
  return addonRuntime(addon, chosen.isa, target, chosen.reason);
}

function openWasm(folder: string, reason: string): NativeRuntime {
  // Node.js 20 compiles relaxed SIMD only with this flag; later versions don't know it.
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--experimental-wasm-relaxed-simd');
  const module = explain(wasmTarget, () => compileWasm(readFileSync(join(folder, wasmTarget))));
  return wasmRuntime(module, reason);
}

function explain<T>(target: string, open: () => T): T {
  try {
    return open();
  } catch (cause) {
    throw new Error(`${target}: ${(cause as Error).message}`, { cause });
  }
}

function tested(runtime: NativeRuntime): NativeRuntime {
  check(runtime, 'self-test', runSelfTest(runtime), selfTestDigest);
  if (runtime.vectors) check(runtime, 'self-test of vectors', runVectorTest(runtime.vectors), vectorTestDigest);
  return runtime;
}

function check({ target, isa }: NativeRuntime, test: string, results: Uint8Array, expected: string): void {
  const digest = createHash('sha256').update(results).digest('hex');
  if (digest === expected) return;
  throw new Error(`${target} (${isa}): ${test} expected ${expected.slice(0, 12)}, got ${digest.slice(0, 12)}`);
}
