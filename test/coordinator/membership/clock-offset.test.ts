import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClockOffset } from '../../../coordinator/membership/clock-offset.js';

describe('the offset of a worker’s clock', () => {
  it('is unknown until a message of each direction came', () => {
    const clock = new ClockOffset();
    expect(clock.estimate(0)).toBeUndefined();
    clock.wentOut(10, 1011);
    expect(clock.estimate(11)).toBeUndefined();
    clock.cameIn(1012, 13);
    expect(clock.estimate(13)).toMatchObject({ offsetMs: expect.closeTo(1000, 3) as number });
  });

  it('is that of the quickest message of each direction, with half of their time as its error', () => {
    const clock = new ClockOffset();
    // The clock is 1000 ms ahead; messages take 5 and 1 ms to it, 2 and 7 ms from it.
    clock.wentOut(100, 1105);
    clock.cameIn(1110, 112);
    clock.wentOut(112, 1113);
    clock.cameIn(1113, 120);
    const { offsetMs, errorMs } = clock.estimate(120)!;
    expect(offsetMs).toBeCloseTo(999.5, 2);
    expect(errorMs).toBeCloseTo(1.5, 2);
  });

  it('always lies within its error of the truth, also while the clocks drift apart by 50 ppm', () => {
    const delay = fc.double({ min: 0.05, max: 40, noNaN: true });
    const trip = fc.record({ out: delay, back: delay, pause: fc.double({ min: 0, max: 3000, noNaN: true }) });
    const trips = fc.array(trip, { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.constantFrom(-5e-5, 0, 5e-5), trips, (ahead, drift, all) => {
        const clock = new ClockOffset();
        const there = (hereMs: number) => hereMs * (1 + drift) + ahead;
        let now = 0;
        for (const { out, back, pause } of all) {
          clock.wentOut(now, there(now + out));
          clock.cameIn(there(now + out), now + out + back);
          now += out + back;
          const { offsetMs, errorMs } = clock.estimate(now)!;
          expect(Math.abs(offsetMs - (there(now) - now))).toBeLessThanOrEqual(errorMs + 1e-5);
          now += pause;
        }
      }),
      { numRuns: 100 },
    );
  });

  it('is measured again after a clock has jumped', () => {
    const clock = new ClockOffset();
    clock.wentOut(0, 1001);
    clock.cameIn(1001, 2);
    expect(clock.estimate(2)!.offsetMs).toBeCloseTo(1000, 2);
    // The other machine slept for a minute: its monotonic clock stood still.
    clock.wentOut(60_010, 1011);
    clock.cameIn(1011, 60_012);
    const { offsetMs, errorMs } = clock.estimate(60_012)!;
    expect(offsetMs).toBeCloseTo(-59_000, 2);
    expect(errorMs).toBeCloseTo(1, 2);
  });
});
