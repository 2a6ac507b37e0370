import { afterAll, describe, expect, it } from 'vitest';
import { instructionSets } from '../../engine/engine.js';
import { findChromium } from '../e2e/browser.js';
import { scratchDirectory } from '../e2e/lockstep.js';
import { arm64, haswell, node24, titleOf } from '../emulators.js';
import { digestsInChromium } from './one-digest/browser/chromium.js';
import { problemsOf } from './one-digest/digests.js';
import { Runner, testLimitMs } from './one-digest/elsewhere.js';
import { type Prepared, prepare } from './one-digest/prepare.js';
import type { RunnerReport } from './one-digest/runner.js';
import { largeNetworks, quickSubjects, smallNetworks, type Subject } from './one-digest/subjects.js';
import { whyNot } from './one-digest/targets.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

const runner = new Runner(scratch.path);
const prepareAll = (subjects: readonly Subject[]): Promise<Prepared[]> => Promise.all(subjects.map(prepare));
const quick = await prepareAll(quickSubjects);
const small = await prepareAll(smallNetworks);
const large = await prepareAll(largeNetworks);

/** Expects the recorded digests for each number of threads. */
function expectRecorded({ digests }: RunnerReport, threads: readonly number[]): void {
  expect(digests).toHaveLength(threads.length);
  expect(
    digests.flatMap((found, i) => problemsOf(found).map((problem) => `${threads[i]} threads: ${problem}`)),
  ).toEqual([]);
}

describe('cnn3, cnn4, resnet20, mlp and ten models of the layer tests give the recorded digests', () => {
  for (const isa of instructionSets) {
    const missing = whyNot(isa);
    const threads = isa === 'wasm' ? [1] : [1, 2, 3, 8];
    const title = `${isa}, threads: ${threads.join(', ')}${missing === undefined ? '' : ` (needs ${missing})`}`;
    it.skipIf(missing)(title, { timeout: testLimitMs }, async () => {
      const subjects = [...quick, ...small, ...large];
      const report = await runner.run({ node: [process.execPath], subjects, threads, isa });
      expect(report.isa).toBe(isa);
      expectRecorded(report, threads);
    });
  }

  it.skipIf(node24.skip)(titleOf(node24), { timeout: testLimitMs }, async () => {
    const subjects = [...quick, ...small];
    const report = await runner.run({ node: node24.command, subjects, threads: [1], isa: 'wasm' });
    expect(report.node).toMatch(/^v24\./);
    expectRecorded(report, [1]);
  });

  const chromium = findChromium();
  it.skipIf(chromium === undefined)(
    'wasm in Chromium (needs Chromium in PATH or CHROMIUM)',
    { timeout: testLimitMs },
    async () => {
      const found = await digestsInChromium(chromium!, scratch.path, [...quick, ...small]);
      expect(Object.keys(found)).toHaveLength(quick.length + small.length);
      expect(problemsOf(found)).toEqual([]);
    },
  );

  for (const emulated of [haswell, arm64]) {
    it.skipIf(emulated.skip)(titleOf(emulated), { timeout: testLimitMs }, async () => {
      const networks = await runner.run({ node: emulated.command, subjects: small, threads: [1] });
      expect(networks.isa, networks.reason).toBe(emulated.isa);
      expect(networks.arch).toBe(emulated === arm64 ? 'arm64' : 'x64');
      expectRecorded(networks, [1]);
      const threads = [1, 2];
      expectRecorded(await runner.run({ node: emulated.command, subjects: quick, threads }), threads);
    });
  }
});
