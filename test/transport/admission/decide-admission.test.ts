import { describe, expect, it } from 'vitest';
import { countedAddress } from '../../../transport/admission/address.js';
import {
  addFailures,
  type AddressCounts,
  type AdmissionLimits,
  decideAdmission,
  decideExpiry,
  decideRoom,
  levelAt,
  type TotalCounts,
} from '../../../transport/admission/decide-admission.js';

const limits: AdmissionLimits = {
  pending: { perAddress: 4, perKnownAddress: 20, total: 10 },
  failures: { perAddress: { burst: 8, perSecond: 2 }, total: { burst: 16, perSecond: 4 } },
  waiting: { perAddress: 5, total: 50 },
  authenticated: { perAddress: 100, total: 100 },
  replaceAfterMs: 1_000,
  authenticateMs: { unknown: 5_000, known: 20_000 },
  bytes: 1_000,
};
const nowMs = 10_000;
const failed = (level: number) => ({ level, atMs: nowMs });

function decide(address: Partial<AddressCounts>, total: Partial<TotalCounts> = {}) {
  const none = { isKnown: false, pending: 0, oldestMs: 0, failures: failed(0) };
  return decideAdmission({ ...none, ...address }, { ...none, ...total }, limits, nowMs);
}

describe('a waiting connection', () => {
  it.each<[string, Partial<AddressCounts>, Partial<TotalCounts>, object]>([
    ['is taken by an idle server', {}, {}, { action: 'take' }],
    ['is taken below the limit of its address', { pending: 3 }, { pending: 9 }, { action: 'take' }],
    ['waits at the limit of its address', { pending: 4, oldestMs: 999 }, {}, { action: 'wait', for: 'address' }],
    [
      'takes the place of the oldest of its address after a second',
      { pending: 4, oldestMs: 1_000 },
      {},
      { action: 'replace', oldestOf: 'address' },
    ],
    ['waits at the limit of all addresses', {}, { pending: 10, oldestMs: 999 }, { action: 'wait', for: 'all' }],
    [
      'takes the place of the oldest of all after a second',
      {},
      { pending: 10, oldestMs: 1_000 },
      { action: 'replace', oldestOf: 'all' },
    ],
    [
      'of a known address ignores what others hold',
      { isKnown: true, pending: 19 },
      { pending: 10 },
      { action: 'take' },
    ],
    ['of a known address ignores how others failed', { isKnown: true }, { failures: failed(32) }, { action: 'take' }],
    ['of a known address has a limit too', { isKnown: true, pending: 20 }, {}, { action: 'wait', for: 'address' }],
    ['waits while its address has failed often', { failures: failed(8) }, {}, { action: 'wait', for: 'address' }],
    ['waits while all together have failed often', {}, { failures: failed(16) }, { action: 'wait', for: 'all' }],
    [
      'waits for its address even if that is known',
      { isKnown: true, failures: failed(8) },
      {},
      { action: 'wait', for: 'address' },
    ],
  ])('%s', (_, address, total, decision) => {
    expect(decide(address, total)).toMatchObject(decision);
  });

  it('states the limit as the reason', () => {
    const decision = decide({ pending: 4 });
    expect(decision).toHaveProperty('reason', "at most 4 connections of one address that haven't authenticated");
  });
});

describe('failures', () => {
  it('drain with time, to nothing and no further', () => {
    const drain = addFailures({ level: 0, atMs: 0 }, limits.failures.perAddress, 8, nowMs);
    expect([0, 500, 1_000, 4_000, 60_000].map((ms) => levelAt(drain, { burst: 8, perSecond: 2 }, nowMs + ms))).toEqual([
      8, 7, 6, 0, 0,
    ]);
    expect(decideAdmission({ ...idle, failures: drain }, idle, limits, nowMs + 500)).toEqual({ action: 'take' });
  });

  it('never count beyond twice the limit, so that they drain soon after an attack', () => {
    let drain = { level: 0, atMs: 0 };
    for (let i = 0; i < 10_000; i++) drain = addFailures(drain, limits.failures.perAddress, 1, nowMs);
    expect(drain.level).toBe(16);
  });
});

const idle = { isKnown: false, pending: 0, oldestMs: 0, failures: failed(0) };

describe('connections that wait', () => {
  it.each([
    [{ ofAddress: 4, all: 49 }, 'none'],
    [{ ofAddress: 5, all: 5 }, 'oldest of address'],
    [{ ofAddress: 5, all: 50 }, 'oldest of address'],
    [{ ofAddress: 0, all: 50 }, 'oldest of all'],
  ])('make room among %o by dropping: %s', (counts, drop) => {
    expect(decideRoom(counts, limits.waiting)).toBe(drop);
  });
});

describe('a connection that has not authenticated', () => {
  it.each([
    [{ ageMs: 4_999, bytes: 1_000, isKnown: false }, undefined],
    [{ ageMs: 5_000, bytes: 0, isKnown: false }, 'late'],
    [{ ageMs: 19_999, bytes: 0, isKnown: true }, undefined],
    [{ ageMs: 20_000, bytes: 0, isKnown: true }, 'late'],
    [{ ageMs: 0, bytes: 1_001, isKnown: true }, 'oversized'],
  ])('with %o is %s', (connection, expiry) => {
    expect(decideExpiry(connection, limits)).toBe(expiry);
  });
});

describe('the address that limits count', () => {
  it.each([
    ['10.0.0.7', '10.0.0.7'],
    ['::ffff:10.0.0.7', '10.0.0.7'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, ''],
  ])('of %s is %s', (address, counted) => {
    expect(countedAddress(address)).toBe(counted);
  });
});
