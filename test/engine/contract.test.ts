import { afterAll, beforeAll, describe } from 'vitest';
import { keepsItsBits } from './contract/bits.js';
import { staysFlat } from './contract/memory.js';
import type { OtherProcess } from './contract/other-process.js';
import { endsProperly, refusesBadInput, showsNonFiniteNumbers } from './contract/refusals.js';
import { computesTheStep, evaluates } from './contract/results.js';
import { buildRig, type Rig } from './contract/rig.js';
import { askOtherProcess } from './contract/start-other-process.js';
import { type EngineUnderTest, enginesUnderTest, titleOf } from './engines.js';

/** What a worker relies on, whatever computes: the same tests for every engine and device. */
function keepsTheContract(subject: EngineUnderTest): void {
  const rig = {} as Rig;
  let other: Promise<OtherProcess>;

  beforeAll(async () => {
    other = askOtherProcess(subject);
    other.catch(() => undefined); // Whoever asks for it is told.
    Object.assign(rig, await buildRig(subject));
  });
  afterAll(async () => {
    await other.catch(() => undefined);
    await Promise.all([rig.train.dispose(), rig.evaluate.dispose()]);
  });

  describe('a training step', () => computesTheStep(rig));
  describe('an evaluation', () => evaluates(rig));
  describe('bad input', () => refusesBadInput(rig));
  describe('numbers that are none', () => showsNonFiniteNumbers(rig));
  describe('the end of a program', () => endsProperly(rig));
  describe('the same bits come', () => keepsItsBits(rig, () => other));
  describe('many steps', () => staysFlat(() => other));
}

for (const subject of enginesUnderTest) {
  const skip = subject.skip !== undefined;
  describe.skipIf(skip)(titleOf(subject), { timeout: subject.slow ? 240_000 : 60_000 }, () =>
    keepsTheContract(subject),
  );
}
