import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { instructionSets } from '../../../engine/engine.js';
import { loadNative } from '../../../engine/native/load/load.js';
import { digestOf } from '../../numerics/one-digest/compute.js';
import { digests, problemsOf } from '../../numerics/one-digest/digests.js';
import { prepare } from '../../numerics/one-digest/prepare.js';
import { quickSubjects } from '../../numerics/one-digest/subjects.js';
import { whyNot } from '../../numerics/one-digest/targets.js';

const subjects = await Promise.all(quickSubjects.map(prepare));

describe('mlp and ten models of the layer tests give the recorded digests', () => {
  for (const isa of instructionSets) {
    const missing = whyNot(isa);
    it.skipIf(missing)(`${isa}${missing === undefined ? '' : ` (needs ${missing})`}`, () => {
      const target = { runtime: loadNative(isa), threads: 2 };
      const digests = Object.fromEntries(subjects.map((subject) => [subject.name, digestOf(target, subject)]));
      expect(problemsOf(digests)).toEqual([]);
    });
  }
});

it('docs/claims.md has the recorded digests', () => {
  const page = readFileSync(new URL('../../../docs/claims.md', import.meta.url), 'utf8');
  const rows = page.slice(page.indexOf('| Digest of results')).trim().split('\n').slice(2);
  const networks = ['cnn3, 5 × 32 × 32', 'cnn4, 5 × 32 × 32', 'resnet20, 5 × 16 × 16', 'mlp, 5 × 32 × 32'];
  expect(rows).toHaveLength(6);
  for (const row of rows) {
    expect([...row.matchAll(/`([0-9a-f]{16})`/g)].map(([, digest]) => digest)).toEqual(networks.map((n) => digests[n]));
  }
});
