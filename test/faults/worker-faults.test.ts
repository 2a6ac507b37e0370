import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectUnharmed } from './expect-unharmed.js';
import type { Fault } from './plan.js';
import { faultJob, FaultRig, heartbeatLimitMs } from './rig.js';
import type { RunRecord } from './run-record.js';

describe('a fault of one worker changes no bit and no count', () => {
  const rig = new FaultRig(faultJob('--model', 'mlp'));
  let quiet: RunRecord;
  beforeAll(async () => {
    quiet = await rig.quiet();
  });
  afterAll(() => rig.remove());

  it('the undisturbed run counts every sample of every epoch once', () => {
    expect(quiet.digests.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(quiet.steps).toHaveLength(4 * quiet.stepsPerEpoch);
    expect(quiet.samples).toBe(4 * 625);
  });

  const faults: [string, Fault][] = [
    ['killed', { kind: 'kill' }],
    ['stopped for less than the heartbeat limit', { kind: 'stop', ms: heartbeatLimitMs / 2 }],
    ['stopped for longer than the heartbeat limit', { kind: 'stop', ms: heartbeatLimitMs * 2 }],
    ['with its connections reset', { kind: 'sever' }],
    ['with its messages delayed', { kind: 'hold', ms: heartbeatLimitMs / 2 }],
    ['cut off in silence for longer than the heartbeat limit', { kind: 'hold', ms: heartbeatLimitMs * 2 }],
    ['whose parameters arrive with a flipped bit', { kind: 'corrupt', what: 'parameters' }],
    ['whose partial arrives with a flipped bit', { kind: 'corrupt', what: 'partial' }],
    ['who gets a chunk of the parameters twice', { kind: 'duplicate', what: 'parameters' }],
    ['of whom a chunk of a partial arrives twice', { kind: 'duplicate', what: 'partial' }],
    ['who gets two chunks of the parameters in the wrong order', { kind: 'reorder', what: 'parameters' }],
    ['of whom two chunks of a partial arrive in the wrong order', { kind: 'reorder', what: 'partial' }],
    ['whose engine throws', { kind: 'engineThrow' }],
    ['out of memory', { kind: 'outOfMemory' }],
  ];
  it.each(faults)('a worker %s', async (_, fault) => {
    expectUnharmed(await rig.suffer([{ at: { worker: 1, step: 30 }, fault }]), quiet);
  });
});
