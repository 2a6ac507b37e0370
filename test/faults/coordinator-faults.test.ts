import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cannotLimit } from './coordinator-process.js';
import { expectUnharmed } from './expect-unharmed.js';
import type { Fault } from './plan.js';
import { faultJob, FaultRig, heartbeatLimitMs } from './rig.js';
import type { RunRecord } from './run-record.js';

/** Adam, so that a checkpoint has two slots per parameter as well as the running statistics. */
const adam = ['--optimizer', 'adam', '--learning-rate', '0.001'];

describe('a fault of the coordinator changes no bit and no count', () => {
  const rig = new FaultRig(faultJob('--model', 'mlp', ...adam));
  let quiet: RunRecord;
  beforeAll(async () => {
    quiet = await rig.quiet();
  });
  afterAll(() => rig.remove());
  const at = (step: number, fault: Fault) => ({ at: { step }, fault });

  it.each([
    ['between two checkpoints', 33],
    ["in an epoch's last step", 20],
    ['before the first checkpoint after the initial one', 3],
  ])('killed %s', async (_, step) => {
    const suffered = await rig.suffer([at(step, { kind: 'killCoordinator' })]);
    expectUnharmed(suffered, quiet);
    expect(suffered.cluster.coordinator.starts).toBe(2);
  });

  it('killed twice', async () => {
    const kill = { kind: 'killCoordinator' } as const;
    const suffered = await rig.suffer([at(15, kill), at(50, kill)]);
    expectUnharmed(suffered, quiet);
    expect(suffered.cluster.coordinator.starts).toBe(3);
  });

  it('killed with a checkpoint half written', async () => {
    expectUnharmed(await rig.suffer([at(10, { kind: 'killDuringCheckpoint' })]), quiet);
  });

  it('killed while a worker is stopped, which then finds the next coordinator', async () => {
    const stop = { kind: 'stop', ms: heartbeatLimitMs / 2 } as const;
    expectUnharmed(
      await rig.suffer([{ at: { worker: 2, step: 30 }, fault: stop }, at(31, { kind: 'killCoordinator' })]),
      quiet,
    );
  });

  it.skipIf(cannotLimit())(
    'out of disk space: says so, exits with 1, and resumes when there is room (needs prlimit)',
    async () => {
      const suffered = await rig.suffer([at(10, { kind: 'fillDisk', bytes: 1_000_000 })]);
      expectUnharmed(suffered, quiet);
      const [end] = suffered.cluster.exits;
      expect(end).toMatch(
        /^coordinator: exit code 1: .*expected to write .*checkpoints.*, got .*(EFBIG|file too large)/,
      );
      expect(end).toContain('make room on that disk');
    },
  );
});
