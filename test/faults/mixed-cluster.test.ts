import { afterAll, describe, expect, it } from 'vitest';
import { expectUnharmed } from './expect-unharmed.js';
import { leftOut, mix, mixedLimits, replaceAll } from './mixed-kinds.js';
import { faultJob, FaultRig } from './rig.js';

describe('one job on workers with different instruction sets', () => {
  const size = ['--shards', '4', '--batch-per-shard', '4', '--epochs', '2', '--set', 'data.limit=40'];
  const rig = new FaultRig(faultJob(...size), mix.length, { kinds: mix, ...mixedLimits });
  afterAll(() => rig.remove());

  const limit = { timeout: mixedLimits.finishLimitMs + 100_000 };
  it(
    `${mix.map(({ title }) => title).join(', ')}: one digest, each killed and replaced by another`,
    limit,
    async () => {
      const quiet = await rig.quiet();
      const suffered = await rig.suffer(replaceAll);
      expectUnharmed(suffered, quiet);
      const found = suffered.cluster.contributions.map(({ worker, target }) => `worker ${worker}: ${target}`);
      const expected = mix.flatMap(({ isa }, worker) => {
        return [isa, mix[(worker + 1) % mix.length]!.isa].map((target) => `worker ${worker}: ${target}`);
      });
      expect([...new Set(found)].sort()).toEqual(expected.sort());
    },
  );

  // Reported at the end of a run.
  for (const { title, skip } of leftOut) it.skip(`${title} among them (needs ${skip})`);
});
