import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { cudaProviderFile, providerProblem } from '../../engine/onnx/cuda-provider.js';
import { runtimeProblem } from '../../engine/onnx/runtime.js';
import { findBinding } from '../../engine/tensorflow/find-binding.js';
import { JobError } from '../../job/errors.js';
import type { JobSpec } from '../../job/spec.js';
import { findGpus } from '../gpus/find-gpus.js';
import type { Gpu } from '../gpus/gpus.js';
import {
  decideCount,
  decideGpus,
  describePlan,
  type RequestedEngine,
  type GpuSetup,
  type CpuSetup,
} from './local-plan.js';

export interface LocalPlan {
  readonly count: number;
  /** One per worker; empty if workers use CPUs or choose a device themselves. */
  readonly gpus: readonly Gpu[];
  /** Note for the user. */
  readonly note?: string | undefined;
}

/**
 * Parses `--workers`, a number or `auto`, and chooses the workers' GPUs.
 * @throws JobError BAD_OPTION
 */
export async function planLocalWorkers(text: string, spec: Pick<JobSpec, 'shards' | 'engine'>): Promise<LocalPlan> {
  const wanted = parseWorkers(text);
  const { engine, shards } = spec;
  checkProvider(engine);
  const setup = await gpuSetup(engine);
  const gpus = decideGpus(engine, setup);
  const count = wanted ?? decideCount(engine, gpus, await cpuSetup(shards, engine.threads));
  return { count, gpus, note: describePlan(engine, setup) };
}

/** Reports a missing package or CUDA provider once, before every worker fails. @throws JobError BAD_OPTION */
function checkProvider({ name, device }: RequestedEngine): void {
  if (name !== 'onnx') return;
  const problem = runtimeProblem() ?? (device === 'webgpu' ? undefined : providerProblem());
  if (problem !== undefined) throw new JobError('BAD_OPTION', `engine.name onnx: ${problem}`);
}

/** @returns undefined for `auto`. */
function parseWorkers(text: string): number | undefined {
  if (text === 'auto') return undefined;
  const workers = Number(text);
  if (/^\d+$/.test(text) && workers >= 1 && workers <= 1024) return workers;
  throw new JobError('BAD_OPTION', `--workers: expected auto or a number from 1 to 1024, got "${text}"`);
}

async function gpuSetup({ name, device }: RequestedEngine): Promise<GpuSetup> {
  if (name === 'native' || (device !== 'auto' && device !== 'cuda')) return { gpus: [], isInstalled: false };
  const isInstalled =
    name === 'onnx' ? cudaProviderFile() !== undefined : findBinding()?.name.endsWith('-gpu') === true;
  return { gpus: await findGpus(process.env), isInstalled };
}

async function cpuSetup(shards: number, threads: number): Promise<CpuSetup> {
  const usableCores = availableParallelism();
  return { physicalCores: (await physicalCores()) || usableCores, usableCores, shards, threads };
}

/** Number of physical cores, from /proc/cpuinfo or else from systeminformation, which takes 0.1 s; 0 if unknown. */
async function physicalCores(): Promise<number> {
  const found = coresIn(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''));
  if (found > 0) return found;
  const { cpu } = await import('systeminformation');
  return (await cpu()).physicalCores;
}

/** Physical cores in the text of Linux's /proc/cpuinfo; 0 if it doesn't list them, as on ARM. */
export function coresIn(cpuinfo: string): number {
  const processors = cpuinfo.split(/\n\s*\n/);
  const fields = ['physical id', 'core id'].map((name) => new RegExp(`^${name}\\s*: (\\d+)$`, 'm'));
  const cores = processors.map((text) => fields.map((field) => field.exec(text)?.[1]));
  return new Set(cores.filter((ids) => !ids.includes(undefined)).map(String)).size;
}
