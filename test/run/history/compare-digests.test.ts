import { describe, expect, it } from 'vitest';
import { compareDigests, compareRuns, type RecordedRun } from '../../../run/history/compare-digests.js';
import { parseEpochs } from '../../../run/replay.js';
import { parseSpec } from '../../../job/spec.js';
import { smallManifest } from '../../coordinator/manifest.js';

const chain = (...digests: string[]) => digests.map((digest, i) => ({ epoch: i + 1, step: 10 * (i + 1), digest }));

describe('comparing digest chains', () => {
  it.each([
    ['equal ones', chain('a', 'b'), chain('a', 'b'), { outcome: 'equal', epochs: 2, digest: 'b' }],
    ['one that goes further', chain('a', 'b', 'c'), chain('a', 'b'), { outcome: 'equal', epochs: 2, digest: 'b' }],
    ['from the first epoch', chain('x', 'y'), chain('a', 'b'), { outcome: 'different', epoch: 1, a: 'x', b: 'a' }],
    ['from a later one', chain('a', 'y'), chain('a', 'b', 'c'), { outcome: 'different', epoch: 2, a: 'y', b: 'b' }],
    ['no epoch in common', chain(), chain('a'), { outcome: 'nothing to compare' }],
  ])('reports %s', (_, a, b, expected) => {
    expect(compareDigests(a, b)).toEqual(expected);
  });
});

describe('comparing runs', () => {
  const manifest = smallManifest(3);
  const run = (path: string, ...digests: string[]): RecordedRun => ({ path, manifest, digests: chain(...digests) });

  it('names both lengths if one is longer', () => {
    expect(compareRuns(run('r/a', 'a', 'b'), run('r/b', 'a'))).toEqual({
      equal: true,
      text: 'equal: epochs 1 to 1, digest a; r/a has 2, r/b has 1',
    });
  });

  it('names the first epoch that differs, with both digests', () => {
    expect(compareRuns(run('r/a', 'a', 'b'), run('r/b', 'a', 'c'))).toEqual({
      equal: false,
      text: 'different from epoch 2 on\n  r/a: b\n  r/b: c',
    });
  });

  it('does not call runs equal that have no epoch in common', () => {
    expect(compareRuns(run('r/a'), run('r/b', 'a'))).toMatchObject({ equal: false });
  });

  it('lists the fields in which two jobs differ instead', () => {
    const spec = parseSpec({ ...manifest.spec, seed: manifest.spec.seed + 1, audit: 0.5 });
    const other = { ...run('r/b', 'a'), manifest: { ...manifest, digest: '0'.repeat(64), spec } };
    expect(compareRuns(run('r/a', 'a'), other)).toEqual({
      equal: false,
      text: `different jobs\n  seed: ${manifest.spec.seed} and ${spec.seed}`,
    });
  });
});

describe('epochs to replay', () => {
  it.each([
    [undefined, 7, { first: 1, last: 7 }],
    ['3', 7, { first: 3, last: 3 }],
    ['2..7', 7, { first: 2, last: 7 }],
  ])('%s of a run of %i', (text, epochs, expected) => {
    expect(parseEpochs(text, epochs)).toEqual(expected);
  });

  it.each(['0..2', '3..2', '2..8', 'a..b', '1..2..3', '', '-1'])('refuses %j for a run of 7 epochs', (text) => {
    expect(() => parseEpochs(text, 7)).toThrow(`--epochs: expected a..b within 1..7, got ${text}`);
  });

  it('refuses a run without a complete epoch', () => {
    expect(() => parseEpochs(undefined, 0)).toThrow('got a run without a complete epoch');
  });
});
