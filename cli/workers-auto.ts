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

/** Reads `--workers`: a number, or `auto`. @throws JobError BAD_OPTION */
export async function resolveWorkers(text: string, shards: number, threads: number): Promise<number> {
  if (text === 'auto') {
    const { cpu } = await import('systeminformation');
    const { physicalCores } = await cpu();
    const usableCores = availableParallelism();
    return decideWorkers({ physicalCores: physicalCores || usableCores, usableCores, shards, threads });
  }
  const workers = Number(text);
  if (Number.isInteger(workers) && workers >= 1 && workers <= 1024) return workers;
  throw new JobError('BAD_OPTION', `--workers: expected auto or a number from 1 to 1024, got "${text}"`);
}
