import { createRequire } from 'node:module';
import type { Engine, EngineInfo } from '../engine.js';
import { EngineError } from '../errors.js';
import { cudaProviderFile } from './cuda-provider.js';
import {
  decideDevice,
  deviceTitle,
  type Gpu,
  gpuTarget,
  type GpuTarget,
  type LoweringChoice,
  type Precision,
} from './device.js';
import { openGpu } from './open-gpu.js';
import { probeNchwc } from './probe.js';
import { compileEachTime, type ProgramSource, throughCache } from './program-source.js';
import type { Target } from './program-request.js';
import { evaluateProgram, type Place, trainProgram } from './programs.js';
import { loadRuntime } from './session.js';

/** Largest tested number of threads by lowering. Up to these, cnn3 and cnn4 give the same bits; resnet20 and most models don't. */
const mostThreads = { portable: 2, nchwc: 8 };

export interface OnnxEngineOptions {
  /**
   * Threads per operator on a CPU: 1 to 8, at most 2 unless the lowering is `nchwc`.
   * Bits may depend on it, as for resnet20, because it determines how sums are divided.
   */
  readonly threads: number;
  /** `auto` (default): `cuda` if it is installed and works, else `cpu`; `cuda:1`: second GPU; `webgpu`. */
  readonly device?: string | undefined;
  /** Default: `float32`. */
  readonly precision?: Precision | undefined;
  /** Default: `auto`. */
  readonly lowering?: LoweringChoice | undefined;
  /** Receives the reasons for fallbacks of `auto`. */
  readonly log?: ((message: string) => void) | undefined;
  /** Cache of compiled programs; default: no cache. */
  readonly cacheDirectory?: string | undefined;
}

/** Device and lowering of an engine's programs. */
interface Setting {
  readonly place: Place;
  readonly target: Target;
  readonly device: string;
  /** Name of the target in `run.json`. Workers with different targets compute different bits. */
  readonly lowering: string;
}

/**
 * Creates an engine that computes with ONNX Runtime on the CPU or a GPU. Each program is one ONNX model, created by
 * tracing the TF.js model; `run` is one call, which blocks the thread.
 * @throws EngineError RUNTIME when ONNX Runtime can't be loaded or lacks the requested device or lowering.
 */
export async function createOnnxEngine(options: OnnxEngineOptions): Promise<Engine> {
  const { threads } = options;
  checkThreads(threads, mostThreads.nchwc);
  await loadRuntime();
  const source = await sourceFor(options);
  const gpu = await onGpu(options, source);
  const { place, target, device, lowering } = 'place' in gpu ? gpu : await onCpu(options, source, gpu.problem);
  const info: EngineInfo = { name: 'onnx', version: runtimeVersion(), device, lowering, threads };
  return {
    info,
    compileTrain: async (spec) => trainProgram(spec, await source({ kind: 'program', target, spec }), place),
    compileEvaluate: async (spec) => evaluateProgram(spec, await source({ kind: 'program', target, spec }), place),
  };
}

function checkThreads(threads: number, most: number): void {
  if (threads >= 1 && threads <= most) return;
  throw new EngineError(
    'BAD_INPUT',
    `create engine: expected 1 to ${most} threads, got ${threads}; correct engine.threads`,
  );
}

async function sourceFor({ cacheDirectory, log }: OnnxEngineOptions): Promise<ProgramSource> {
  if (cacheDirectory === undefined) return compileEachTime;
  const { ProgramCache } = await import('../cache/program-cache.js');
  return throughCache(await ProgramCache.open(cacheDirectory, log));
}

/** Setting for the requested or detected GPU; otherwise the problem of a detected GPU, if any. */
async function onGpu(
  options: OnnxEngineOptions,
  source: ProgramSource,
): Promise<Setting | { readonly problem: string | undefined }> {
  const { device: choice = 'auto', precision = 'float32', lowering = 'auto' } = options;
  const { device, orCpu } = decideDevice(choice, lowering, cudaProviderFile() !== undefined);
  if (device.kind === 'cpu') return { problem: undefined };
  const target = gpuTarget(lowering);
  const problem = target
    ? await openGpu({ device, precision, target, source })
    : `lowering ${lowering} is for CPUs; set engine.lowering to auto, im2col or portable`;
  if (problem === undefined) return gpuSetting(device, target!, precision);
  const message = `create engine: expected ${choice === 'auto' ? device.kind : choice} to work, but ${problem}`;
  if (!orCpu) throw new EngineError('RUNTIME', `${message}; or set engine.device to cpu`);
  return { problem: `${device.kind} does not work and is not used: ${problem}` };
}

function gpuSetting(device: Gpu, target: GpuTarget, precision: Precision): Setting {
  return { place: { kind: 'gpu', device }, target, device: deviceTitle(device, precision), lowering: target };
}

async function onCpu(
  options: OnnxEngineOptions,
  source: ProgramSource,
  gpuProblem: string | undefined,
): Promise<Setting> {
  const { threads, precision = 'float32', log } = options;
  if (precision !== 'float32') {
    throw new EngineError(
      'RUNTIME',
      `create engine: expected CUDA for precision ${precision}, got the CPU; set engine.precision to float32`,
    );
  }
  const { lowering, target } = await chooseLowering(options, source);
  if (typeof target === 'string') checkThreads(threads, mostThreads.portable);
  const place: Place = { kind: 'cpu', threads, waiting: 'spin' };
  if (gpuProblem === undefined) return { place, target, device: 'cpu', lowering };
  log?.(gpuProblem);
  return { place: { ...place, insteadOf: gpuProblem }, target, device: 'cpu', lowering };
}

async function chooseLowering(
  { lowering = 'auto', threads, log }: OnnxEngineOptions,
  source: ProgramSource,
): Promise<Pick<Setting, 'lowering' | 'target'>> {
  if (lowering === 'portable' || lowering === 'im2col') return { lowering, target: lowering };
  const probe = await probeNchwc(threads, source);
  if ('block' in probe) return { lowering: `nchwc${probe.block}`, target: { nchwc: probe.block } };
  const message = `create engine: expected nchwc convolutions of ${runtimeVersion()} to work: ${probe.problem}`;
  if (lowering === 'nchwc') throw new EngineError('RUNTIME', `${message}; set engine.lowering to auto or portable`);
  log?.(`${message}; using the portable lowering, which is slower`);
  return { lowering: 'portable', target: 'portable' };
}

function runtimeVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return `onnxruntime-node ${version}`;
}
