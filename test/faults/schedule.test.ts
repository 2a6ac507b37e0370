import { afterAll, expect, it } from 'vitest';
import { scratchDirectory } from '../e2e/lockstep.js';
import { runSchedule } from './schedule/schedule.js';
import { clusterKinds } from './schedule/strikes.js';

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

it('a run ends with the digest of an undisturbed one, whatever strikes from its start to its end', async () => {
  const lines: string[] = [];
  const options = { faults: 14, faultsPerRun: 7, seed: 3, workers: 3, scratch: scratch.path };
  const struck = await runSchedule({ ...options, say: (line) => lines.push(line) });
  for (const kind of clusterKinds) expect(struck.get(kind)!.length, lines.join('\n')).toBeGreaterThanOrEqual(3);
}, 600_000);
