import type { JobSpec } from '../../job/spec.js';
import { describeGpus, type Gpu } from '../gpus/gpus.js';

/** What of a job's spec says where its workers compute. */
export type RequestedEngine = Pick<JobSpec['engine'], 'name' | 'device' | 'lowering'>;

/** What of this machine's GPUs matters. */
export interface GpuSetup {
  readonly gpus: readonly Gpu[];
  /** Whether the engine's part for NVIDIA GPUs is installed. */
  readonly isInstalled: boolean;
}

/** What the number of workers on CPUs is decided from. */
export interface CpuSetup {
  readonly physicalCores: number;
  /** Those that this process may use, logical ones counted each. */
  readonly usableCores: number;
  readonly shards: number;
  /** Threads of one worker's engine. */
  readonly threads: number;
}

/** Whether each worker shall get a GPU of its own; `cuda:1` and `webgpu` name one that all workers share. */
export function decideGpus(engine: RequestedEngine, { gpus, isInstalled }: GpuSetup): readonly Gpu[] {
  return engine.device === 'cuda' || (isOpen(engine) && isInstalled) ? gpus : [];
}

/** Whether it may be a GPU or a CPU, whatever is there. */
function isOpen({ device, lowering }: RequestedEngine): boolean {
  return device === 'auto' && lowering !== 'nchwc';
}

/**
 * How many workers to start for `--workers auto`: one per GPU that is dealt out, one where all would share a GPU, as it is
 * no quicker with several processes on it, else by the cores. Never more than there are shards, because the rest would
 * stand by.
 */
export function decideCount({ device }: RequestedEngine, gpus: readonly Gpu[], room: CpuSetup): number {
  if (gpus.length > 0) return Math.min(gpus.length, room.shards);
  return device === 'auto' || device === 'cpu' ? decideWorkers(room) : 1;
}

/** One worker per physical core that this process may use, as an engine thread saturates one, or per `threads` of them. */
export function decideWorkers({ physicalCores, usableCores, shards, threads }: CpuSetup): number {
  return Math.max(1, Math.min(Math.floor(Math.min(physicalCores, usableCores) / threads), shards));
}

/** Note about this machine's GPUs: the ones in use, or what is missing. */
export function describePlan(engine: RequestedEngine, room: GpuSetup): string | undefined {
  const dealt = decideGpus(engine, room);
  if (dealt.length > 0) return `GPUs: ${describeGpus(dealt)}, one for each worker`;
  if (engine.name !== 'onnx' || !isOpen(engine) || room.gpus.length === 0) return undefined;
  return (
    `GPUs: ${describeGpus(room.gpus)} found, but not ONNX Runtime's CUDA provider, so workers compute on CPUs. ` +
    "To use GPUs, run scripts/gpu-setup.sh in Lockstep's folder; to use only CPUs without this note, pass --set engine.device=cpu"
  );
}
