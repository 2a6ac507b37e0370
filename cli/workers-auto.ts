import { availableParallelism } from 'node:os';
import { JobError } from '../job/errors.js';

/**
 * How many workers to start for `--workers auto`: one per physical core that this process may use, as an engine thread
 * saturates a core; never more than there are shards, because the rest would stand by.
 */
export function decideWorkers(physicalCores: number, usableCores: number, shards: number): number {
  return Math.max(1, Math.min(physicalCores, usableCores, shards));
}

/** Reads `--workers`: a number, or `auto`. @throws JobError BAD_OPTION */
export async function resolveWorkers(text: string, shards: number): Promise<number> {
  if (text === 'auto') {
    const { cpu } = await import('systeminformation');
    const { physicalCores } = await cpu();
    return decideWorkers(physicalCores || availableParallelism(), availableParallelism(), shards);
  }
  const workers = Number(text);
  if (Number.isInteger(workers) && workers >= 1 && workers <= 1024) return workers;
  throw new JobError('BAD_OPTION', `--workers: expected auto or a number from 1 to 1024, got "${text}"`);
}
