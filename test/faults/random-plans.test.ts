import fc from 'fast-check';
import { afterAll, describe, it } from 'vitest';
import { expectUnharmed } from './expect-unharmed.js';
import { describeFault, type Fault, type FaultPlan } from './plan.js';
import { faultJob, FaultRig, heartbeatLimitMs } from './rig.js';

/** LOCKSTEP_FAULT_RUNS raises the number of plans, LOCKSTEP_FAULT_SEED repeats a failed run's. */
const runs = Number(process.env['LOCKSTEP_FAULT_RUNS'] ?? 3);
const seed = Number(process.env['LOCKSTEP_FAULT_SEED'] ?? Math.floor(Math.random() * 0x7fffffff));
const workers = 3;
const planLimitMs = 120_000;

const what = fc.constantFrom('parameters', 'partial');
const workerFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constantFrom<Fault>({ kind: 'kill' }, { kind: 'sever' }, { kind: 'engineThrow' }),
  fc.record({
    kind: fc.constantFrom('stop', 'hold'),
    ms: fc.integer({ min: 50, max: 2 * heartbeatLimitMs }),
  }),
  fc.record({ kind: fc.constantFrom('corrupt', 'duplicate', 'reorder'), what }),
);
const coordinatorFault = fc.constantFrom<Fault>({ kind: 'killCoordinator' }, { kind: 'killDuringCheckpoint' });
const step = fc.integer({ min: 1, max: 40 });

/** At most one fault per worker, and perhaps one of the coordinator, so that each finds its victim working. */
const plan: fc.Arbitrary<FaultPlan> = fc
  .record({
    victims: fc.subarray([0, 1, 2], { minLength: 1 }),
    faults: fc.array(workerFault, { minLength: workers, maxLength: workers }),
    steps: fc.array(step, { minLength: workers, maxLength: workers }),
    ofCoordinator: fc.option(fc.record({ fault: coordinatorFault, step }), { nil: undefined }),
  })
  .map(({ victims, faults, steps, ofCoordinator }) => [
    ...victims.map((worker) => ({ at: { worker, step: steps[worker]! }, fault: faults[worker]! })),
    ...(ofCoordinator ? [{ at: { step: ofCoordinator.step }, fault: ofCoordinator.fault }] : []),
  ]);

describe('any plan of faults', () => {
  const rig = new FaultRig(faultJob('--model', 'mlp'), workers);
  afterAll(() => rig.remove());

  it(
    `ends in the quiet run's bits and counts (${runs} plans, seed ${seed})`,
    async () => {
      const quiet = await rig.quiet();
      const unharmed = fc.asyncProperty(plan, async (faults) => expectUnharmed(await rig.suffer(faults), quiet));
      // A plan takes seconds, and a smaller one may not fail again, so there is no shrinking.
      await fc.assert(unharmed, {
        numRuns: runs,
        seed,
        endOnFailure: true,
        reporter: ({ failed, counterexample, seed: used, errorInstance }) => {
          if (!failed) return;
          const told = counterexample?.[0].map(describeFault).join('; ');
          throw new Error(`plan "${told}", LOCKSTEP_FAULT_SEED=${used}: ${String(errorInstance)}`);
        },
      });
    },
    runs * planLimitMs,
  );
});
