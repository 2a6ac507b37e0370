import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inHashOrder, splitByHash } from '../../data/folder-order.js';
import { shardRange } from '../../job/plan.js';

describe('the order of a folder', () => {
  const files = fc
    .uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 60 })
    .map((paths) => paths.map((path, i) => ({ path, label: i % 3 })));
  const pathsOf = (list: readonly { path: string }[]) => list.map(({ path }) => path);

  it('depends on the paths alone, not on the order in which they are found', () => {
    fc.assert(
      fc.property(files, (list) => {
        expect(pathsOf(inHashOrder([...list].reverse()))).toEqual(pathsOf(inHashOrder(list)));
      }),
    );
  });

  it('puts every image into one set, and moves none when others come', () => {
    fc.assert(
      fc.property(files, fc.double({ min: 0.01, max: 0.99 }), (list, share) => {
        const { train, test } = splitByHash(list, share);
        expect(pathsOf([...train, ...test]).sort()).toEqual(pathsOf(list).sort());
        const half = splitByHash(list.slice(0, Math.ceil(list.length / 2)), share);
        for (const { path } of half.test) expect(pathsOf(test)).toContain(path);
        for (const { path } of half.train) expect(pathsOf(train)).toContain(path);
      }),
    );
  });

  it('takes about the wanted share for testing, and mixes the classes into every shard', () => {
    const list = Array.from({ length: 3000 }, (_, i) => ({ path: `${i % 3}/${i}.png`, label: i % 3 }));
    const { train, test } = splitByHash(list, 0.2);
    expect(test.length).toBeGreaterThan(540);
    expect(test.length).toBeLessThan(660);
    for (let shard = 0; shard < 5; shard++) {
      const { start, count } = shardRange(train.length, 5, shard);
      for (const label of [0, 1, 2]) {
        const share = train.slice(start, start + count).filter((file) => file.label === label).length / count;
        expect(share).toBeGreaterThan(0.25);
        expect(share).toBeLessThan(0.42);
      }
    }
  });

  it('is the same in either Unicode form of accents', () => {
    const written = (form: 'NFC' | 'NFD') =>
      ['café/1.png', 'thé/1.png', 'a/1.png', 'b/1.png'].map((path, label) => ({ path: path.normalize(form), label }));
    expect(inHashOrder(written('NFD')).map(({ label }) => label)).toEqual(
      inHashOrder(written('NFC')).map(({ label }) => label),
    );
  });
});
