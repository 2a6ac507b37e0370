import type { Engine, EngineInfo } from '../engine.js';
import { EngineError } from '../errors.js';
import { decideDevice, deviceTitle, type LoweringChoice, type Precision, targetOf } from './device.js';
import { openGpu } from './open-gpu.js';
import { compileEachTime, type ProgramSource, throughCache } from './program-source.js';
import { evaluateProgram, trainProgram } from './programs.js';
import { runtimeVersion } from './runtime.js';
import { loadRuntime } from './session.js';

export interface OnnxEngineOptions {
  /**
   * `auto` (default) and `cuda`: the first NVIDIA GPU; `cuda:1`: the second; `webgpu`; or `cpu`, by which tests check the
   * lowerings of GPUs. A job's spec can't choose `cpu`.
   */
  readonly device?: string | undefined;
  /** Default: `float32`. */
  readonly precision?: Precision | undefined;
  /** Default: `auto`, which is `im2col`. */
  readonly lowering?: LoweringChoice | undefined;
  /** Receives messages about the cache. */
  readonly log?: ((message: string) => void) | undefined;
  /** Cache of compiled programs; default: no cache. */
  readonly cacheDirectory?: string | undefined;
}

/**
 * Creates an engine that computes with ONNX Runtime on a GPU. Each program is one ONNX model, created by tracing the
 * TF.js model; `run` is one call, which blocks the thread.
 * @throws EngineError RUNTIME when ONNX Runtime or the device can't be used.
 */
export async function createOnnxEngine(options: OnnxEngineOptions): Promise<Engine> {
  const { device: choice = 'auto', precision = 'float32', lowering = 'auto' } = options;
  const device = decideDevice(choice);
  await loadRuntime();
  const source = await sourceFor(options);
  const target = targetOf(lowering);
  if (device.kind !== 'cpu') refuse(device.kind, await openGpu({ device, precision, target, source }));
  const title = deviceTitle(device, precision);
  const info: EngineInfo = { name: 'onnx', version: runtimeVersion(), device: title, lowering: target, threads: 1 };
  return {
    info,
    compileTrain: async (spec) => trainProgram(spec, await source({ kind: 'program', target, spec }), device),
    compileEvaluate: async (spec) => evaluateProgram(spec, await source({ kind: 'program', target, spec }), device),
  };
}

async function sourceFor({ cacheDirectory, log }: OnnxEngineOptions): Promise<ProgramSource> {
  if (cacheDirectory === undefined) return compileEachTime;
  const { ProgramCache } = await import('../cache/program-cache.js');
  return throughCache(await ProgramCache.open(cacheDirectory, log));
}

/** @throws EngineError RUNTIME if there is a problem. */
function refuse(device: string, problem: string | undefined): void {
  if (problem === undefined) return;
  const message = `create engine: expected ${device} to work, but ${problem}`;
  throw new EngineError('RUNTIME', `${message}; or remove engine.name and engine.device, to compute on CPUs`);
}
