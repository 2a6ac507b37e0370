import { afterAll, beforeAll, describe } from 'vitest';
import { refusesBadInput } from './contract/bad-input.js';
import { keepsItsBits } from './contract/bits.js';
import { endsProperly } from './contract/lifetime.js';
import { staysFlat } from './contract/memory.js';
import { takesTheSameModels } from './contract/models.js';
import type { OtherProcess } from './contract/other-process.js';
import { showsNonFiniteNumbers } from './contract/non-finite.js';
import { computesTheStep, evaluates } from './contract/results.js';
import { buildRig, type Rig } from './contract/rig.js';
import { askOtherProcess, stepsOf } from './contract/start-other-process.js';
import { type EngineUnderTest, enginesUnderTest, titleOf } from './engines.js';

/** Second processes run one after the other, while the first process runs its tests. */
const ending = new AbortController();
const others = new Map<EngineUnderTest, Promise<OtherProcess>>();
beforeAll(() => {
  let before: Promise<unknown> = Promise.resolve();
  for (const subject of enginesUnderTest.filter(({ skip }) => skip === undefined)) {
    const other = before.then(() => askOtherProcess(subject, ending.signal));
    before = other.catch(() => undefined); // The test that asks for it is told.
    others.set(subject, other);
  }
});
afterAll(async () => {
  ending.abort();
  await Promise.allSettled(others.values());
});

/** Generous: the machine may be busy, and a software device compiles for long. */
const timeout = 240_000;

/** The behaviour that a worker relies on: the same tests for every engine and device. */
function keepsTheContract(subject: EngineUnderTest): void {
  const rig: Partial<Rig> = {};
  const built = rig as Rig; // Before any test begins.
  const other = () => others.get(subject)!;
  beforeAll(async () => Object.assign(rig, await buildRig(subject)), timeout);
  afterAll(() => Promise.all([rig.train?.dispose(), rig.evaluate?.dispose()]));

  describe('a training step', () => computesTheStep(built));
  describe('an evaluation', () => evaluates(built));
  describe('a model', () => takesTheSameModels(built));
  describe('bad input', () => refusesBadInput(built));
  describe('numbers that are not finite', () => showsNonFiniteNumbers(built));
  describe('the end of a program', () => endsProperly(built));
  describe('equal bits', () => keepsItsBits(built, other));
  describe(`${stepsOf(subject)} steps`, () => staysFlat(other));
}

for (const subject of enginesUnderTest) {
  const skip = subject.skip !== undefined;
  describe.skipIf(skip)(titleOf(subject), { timeout }, () => keepsTheContract(subject));
}
