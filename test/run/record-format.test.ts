import { describe, expect, it } from 'vitest';
import type { StepRecord } from '../../run/records.js';
import {
  cutDigests,
  cutEvaluations,
  cutSteps,
  formatLine,
  formatStep,
  parseSteps,
  stepsHeader,
} from '../../run/record-format.js';

const record: StepRecord = {
  step: 0,
  epoch: 1,
  samples: 245,
  loss: 2.3,
  correct: 24,
  learningRate: 0.05,
  durationMs: 81.25,
  workers: 2,
};
const row = (step: number) => formatStep({ ...record, step });

describe('reading steps.csv', () => {
  it('gives the records as they were written, up to the digits written', () => {
    const records = [0, 1, 2].map((step) => ({ ...record, step, loss: 1 / 2 ** step, durationMs: 12.5 * step }));
    expect(parseSteps(stepsHeader + records.map(formatStep).join(''))).toEqual(records);
  });

  it.each([
    ['nothing', '', 0],
    ['an incomplete header', 'step,epo', 0],
    ['the header alone', stepsHeader, 0],
    ['an incomplete first line', `${stepsHeader}0,1,245,2.3`, 0],
    ['an incomplete last line', `${stepsHeader}${row(0)}1,1,245,2.`, 1],
    ['a last line that lacks its end only', `${stepsHeader}${row(0)}${row(1).trimEnd()}`, 1],
  ])('gives the complete lines of a file with %s', (_, csv, lines) => {
    expect(parseSteps(csv)).toEqual(lines > 0 ? [record] : []);
  });
});

describe('truncating to a checkpoint', () => {
  it.each([
    [0, [], [0, 1, 2]],
    [2, [0, 1], [2]],
    [3, [0, 1, 2], []],
  ])('after %i updates keeps the rows of these updates', (step, kept, dropped) => {
    const cut = cutSteps(`${stepsHeader}${row(0)}${row(1)}${row(2)}3,1,24`, step);
    expect(cut.text).toBe(stepsHeader + kept.map(row).join(''));
    expect(cut.kept.map((entry) => entry.step)).toEqual(kept);
    expect(cut.dropped.map((entry) => entry.step)).toEqual(dropped);
  });

  it('does not change a kept row by a bit', () => {
    const text = stepsHeader + formatStep({ ...record, loss: 0.1 + 0.2, learningRate: 0.05 / 3, durationMs: 1 / 3 });
    expect(cutSteps(text, 1).text).toBe(text);
  });

  it('creates a missing file with its header', () => {
    expect(cutSteps('', 0).text).toBe(stepsHeader);
  });

  it('keeps digests and evaluations of the state itself, and drops half a line', () => {
    const digests = [21, 42].map((step) => ({ epoch: step / 21, step, digest: 'ab' }));
    const text = digests.map(formatLine).join('');
    expect(cutDigests(`${text}{"epoch":3,"st`, 42)).toEqual({ text, kept: digests, dropped: [] });
    expect(cutDigests(text, 41)).toMatchObject({ kept: [digests[0]], dropped: [digests[1]] });
    const evaluations = [21, 42].map((step) => ({ record: { step, correct: 5 }, testRows: [], durationMs: 3 }));
    const cut = cutEvaluations(evaluations.map(formatLine).join(''), 21);
    expect(cut).toMatchObject({ kept: [evaluations[0]], dropped: [evaluations[1]] });
    expect(cut.text).toBe(formatLine(evaluations[0]));
  });
});
