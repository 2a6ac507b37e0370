import { describe, expect, it } from 'vitest';
import { decideAudit, decideAuditor } from '../../../../coordinator/stepping/decisions/audit.js';

describe('audited shards', () => {
  it('are the same for each query, and differ between steps and seeds', () => {
    const of = (seed: number) => Array.from({ length: 20 }, (_, step) => decideAudit(seed, step, 5, 0.5).join(''));
    expect(of(1)).toEqual(of(1));
    expect(new Set(of(1)).size).toBeGreaterThan(5);
    expect(of(1)).not.toEqual(of(2));
  });

  it.each([0.01, 0.2, 0.9])('are a share of %f in the long run, equally for every shard', (share) => {
    const counts = new Array<number>(5).fill(0);
    const steps = 4_000;
    for (let step = 0; step < steps; step++) for (const shard of decideAudit(7, step, 5, share)) counts[shard]!++;
    // Five standard deviations of a binomial distribution.
    const tolerance = 5 * Math.sqrt(steps * share * (1 - share));
    for (const count of counts) expect(Math.abs(count - steps * share)).toBeLessThan(tolerance);
  });

  it('are none with share 0 and all with share 1', () => {
    expect([decideAudit(1, 3, 4, 0), decideAudit(1, 3, 4, 1)]).toEqual([[], [0, 1, 2, 3]]);
  });
});

describe('the auditor of a shard', () => {
  const worker = (workerId: string, load: number, ...holding: number[]) => ({
    workerId,
    load,
    holding: new Set(holding),
  });
  it.each<[string, string | undefined, ReturnType<typeof worker>[], string | undefined]>([
    ['a standby that has the data', 'a', [worker('a', 1, 2), worker('b', 1, 2), worker('c', 0, 2)], 'c'],
    ['a busy worker that has the data before an idle one', 'a', [worker('b', 0), worker('c', 2, 2)], 'c'],
    ['the least busy one when nobody has the data', 'a', [worker('a', 1, 2), worker('b', 2), worker('c', 1)], 'c'],
    ['its owner when that is alone', 'a', [worker('a', 5, 2)], 'a'],
    ['anybody when its owner is gone', undefined, [worker('b', 1, 2)], 'b'],
    ['nobody without workers', undefined, [], undefined],
  ])('is %s', (_, owner, candidates, auditor) => expect(decideAuditor(2, owner, candidates)).toBe(auditor));
});
