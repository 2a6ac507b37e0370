import { expect } from 'vitest';
import type { Suffered } from './rig.js';
import type { RunRecord } from './run-record.js';

/**
 * Expects that every fault struck, that the digests match the undisturbed run's, and that every step counted the same
 * samples once.
 */
export function expectUnharmed({ cluster, run }: Suffered, quiet: RunRecord): void {
  expect(cluster.notFired, cluster.describe()).toEqual([]);
  expect(run.digests, cluster.describe()).toEqual(quiet.digests);
  expect(run.steps, cluster.describe()).toEqual(quiet.steps);
}
