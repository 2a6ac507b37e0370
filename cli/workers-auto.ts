import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { JobError } from '../job/errors.js';

/** What the number of workers is decided from. */
export interface Room {
  readonly physicalCores: number;
  /** Those that this process may use, logical ones counted each. */
  readonly usableCores: number;
  readonly shards: number;
  /** Threads of one worker's engine. */
  readonly threads: number;
}

/**
 * How many workers to start for `--workers auto`: one per physical core that this process may use, as an engine thread
 * saturates a core, or per so many as a worker has threads; never more than there are shards, because the rest would
 * stand by.
 */
export function decideWorkers({ physicalCores, usableCores, shards, threads }: Room): number {
  return Math.max(1, Math.min(Math.floor(Math.min(physicalCores, usableCores) / threads), shards));
}

/** Physical cores in the text of Linux's /proc/cpuinfo; 0 where it does not tell, as on ARM. */
export function coresIn(cpuinfo: string): number {
  const processors = cpuinfo.split(/\n\s*\n/);
  const fields = ['physical id', 'core id'].map((name) => new RegExp(`^${name}\\s*: (\\d+)$`, 'm'));
  const cores = processors.map((text) => fields.map((field) => field.exec(text)?.[1]));
  return new Set(cores.filter((ids) => !ids.includes(undefined)).map(String)).size;
}

/** As Linux tells at once, else as systeminformation finds out, which takes 0.1 s; 0 where nobody knows. */
async function physicalCores(): Promise<number> {
  const told = coresIn(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''));
  if (told > 0) return told;
  const { cpu } = await import('systeminformation');
  return (await cpu()).physicalCores;
}

/** Reads `--workers`: a number, or `auto`. @throws JobError BAD_OPTION */
export async function resolveWorkers(text: string, shards: number, threads: number): Promise<number> {
  if (text === 'auto') {
    const usableCores = availableParallelism();
    return decideWorkers({ physicalCores: (await physicalCores()) || usableCores, usableCores, shards, threads });
  }
  const workers = Number(text);
  if (Number.isInteger(workers) && workers >= 1 && workers <= 1024) return workers;
  throw new JobError('BAD_OPTION', `--workers: expected auto or a number from 1 to 1024, got "${text}"`);
}
