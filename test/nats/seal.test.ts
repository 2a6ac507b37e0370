import { describe, expect, it } from 'vitest';
import { Admission } from '../../nats/admission.js';
import { replaceControls } from '../../nats/payloads.js';
import { Seal } from '../../nats/seal.js';

const seal = new Seal('the-token-of-the-cluster');
const body = { workers: 4, at: 1796000000000, nonce: 'abcdefghijklmnop' };

describe('a signature', () => {
  it('is the one that the Python program in docs/guides/nats.md makes', () => {
    expect(seal.add(['request', 'j', 'scale'], body).mac).toBe(
      '46cc34aa2fa4493ac68cee12507673c2ca2a46e7708ecf9d8efe5d95bcca3db5',
    );
  });

  it('covers every field, whatever their order, and what NaN becomes in JSON', () => {
    const signed = seal.add(['entry', 'j'], { a: 1, b: [NaN, { d: 2, c: 3 }] });
    expect(signed.b).toEqual([null, { d: 2, c: 3 }]);
    const { a, b, mac } = signed;
    expect(seal.fits(['entry', 'j'], { mac, b, a })).toBe(true);
    expect(seal.fits(['entry', 'j'], { ...signed, a: 2 })).toBe(false);
    expect(seal.fits(['entry', 'j'], { ...signed, more: 1 })).toBe(false);
    expect(seal.fits(['entry', 'k'], signed)).toBe(false);
    expect(seal.fits(['index', 'j', 'r'], signed)).toBe(false);
  });

  it.each([undefined, null, 'x', [], {}, { mac: 1 }, { mac: 'ff' }, { mac: 'g'.repeat(64) }])('is not %j', (value) =>
    expect(seal.fits(['entry', 'j'], value)).toBe(false),
  );

  it('is not found in JSON that is nested too deeply to be written again', () => {
    const deep: unknown = JSON.parse(`{"mac":"${'0'.repeat(64)}","a":${'['.repeat(30_000)}${']'.repeat(30_000)}}`);
    expect(seal.fits(['entry', 'j'], deep)).toBe(false);
  });
});

describe('admission of requests', () => {
  it('forgets a nonce only when its request has expired anyway', () => {
    const admission = new Admission('j', seal, 0, 'vm-1');
    const request = seal.add(['request', 'j', 'pause'], { at: 100_000, nonce: 'abcdefghijklmnop' });
    const admitted = (nowMs: number) => !('problem' in admission.admit('pause', request, nowMs));
    expect([100_000, 100_001, 160_000, 160_001].map(admitted)).toEqual([true, false, false, false]);
  });

  it("accepts times within a minute of the coordinator's clock, either way", () => {
    const at = (ms: number) => seal.add(['request', 'j', 'pause'], { at: ms, nonce: `nonce-nonce-nonce-${ms}` });
    const admission = new Admission('j', seal, 0, 'vm-1');
    const admitted = (ms: number) => !('problem' in admission.admit('pause', at(ms), 100_000));
    expect([39_999, 40_000, 160_000, 160_001].map(admitted)).toEqual([false, true, true, false]);
  });
});

describe('a request that is repeated to the next coordinator', () => {
  const [before, next] = [new Admission('j', seal, 0, 'vm-1'), new Admission('j', seal, 105_000, 'vm-2')];
  /** Made by a caller whose clock is half a minute ahead. */
  const stop = (fields: object) =>
    seal.add(['request', 'j', 'stop'], { at: 130_000, nonce: 'abcdefghijklmnop', ...fields });

  it('is rejected if it names its recipient, though its time is after the start', () => {
    const request = stop({ owner: 'vm-1' });
    expect(before.admit('stop', request, 100_000)).toEqual({ request: {}, nonce: 'abcdefghijklmnop' });
    expect(next.admit('stop', request, 110_000)).toMatchObject({
      code: 'UNAUTHENTICATED',
      problem: expect.stringContaining('got one for another owner of the job') as string,
    });
  });

  it('cannot have that changed', () => {
    expect(next.admit('stop', { ...stop({ owner: 'vm-1' }), owner: 'vm-2' }, 110_000)).toHaveProperty('problem');
  });
});

it('text of others reaches no terminal with escape sequences', () => {
  expect(replaceControls('a\u001b[2Jb\r\u009b\nc\td')).toBe('a\uFFFD[2Jb\uFFFD\uFFFD\nc\td');
});
