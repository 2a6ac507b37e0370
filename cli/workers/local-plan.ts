import type { JobSpec } from '../../job/spec.js';
import { describeGpus, type Gpu } from '../gpus/gpus.js';

/** Fields of a job's spec that choose its device. */
export type RequestedEngine = Pick<JobSpec['engine'], 'name' | 'device'>;

/** GPUs of this machine. */
export interface GpuSetup {
  readonly gpus: readonly Gpu[];
  /** True if the engine's NVIDIA support is installed. */
  readonly isInstalled: boolean;
}

/** Limits of the number of workers on CPUs. */
export interface CpuSetup {
  readonly physicalCores: number;
  /** Logical cores available to this process. */
  readonly usableCores: number;
  readonly shards: number;
  /** Threads of one worker's engine. */
  readonly threads: number;
}

/** GPUs to assign, one to each worker; none if workers compute on CPUs or share one device (`cuda:1`, `webgpu`). */
export function decideGpus(engine: RequestedEngine, { gpus, isInstalled }: GpuSetup): readonly Gpu[] {
  if (engine.name === 'native') return [];
  return engine.device === 'cuda' || (engine.device === 'auto' && isInstalled) ? gpus : [];
}

/**
 * Number of workers for `--workers auto`: one per assigned GPU; one on a shared GPU, where several processes are no
 * faster; otherwise by cores. Never more than shards, because the rest would be idle.
 */
export function decideCount({ name }: RequestedEngine, gpus: readonly Gpu[], setup: CpuSetup): number {
  if (gpus.length > 0) return Math.min(gpus.length, setup.shards);
  return name === 'onnx' ? 1 : decideWorkers(setup);
}

/** One worker per `threads` available physical cores; an engine thread saturates a core. */
export function decideWorkers({ physicalCores, usableCores, shards, threads }: CpuSetup): number {
  return Math.max(1, Math.min(Math.floor(Math.min(physicalCores, usableCores) / threads), shards));
}

/** Note about this machine's GPUs: those in use. */
export function describePlan(engine: RequestedEngine, setup: GpuSetup): string | undefined {
  const assigned = decideGpus(engine, setup);
  return assigned.length > 0 ? `GPUs: ${describeGpus(assigned)}, one per worker` : undefined;
}
