import type { EvaluationRecord, StepRecord } from '../../../run/records.js';
import type { ReportInput } from '../../../run/report/report-input.js';
import { CLASSES } from '../../../data/cifar10-format.js';
import { parseSpec } from '../../../job/spec.js';

/** A result on 10,000 test images, 7,394 of them right. */
export const sampleConfusion = [
  [781, 17, 46, 20, 14, 5, 12, 11, 68, 26],
  [18, 846, 4, 8, 2, 4, 9, 3, 27, 79],
  [64, 4, 621, 66, 80, 63, 63, 24, 9, 6],
  [20, 9, 68, 548, 55, 186, 65, 31, 9, 9],
  [20, 2, 66, 61, 707, 40, 42, 54, 6, 2],
  [9, 3, 46, 160, 39, 667, 20, 48, 4, 4],
  [5, 4, 41, 59, 27, 21, 833, 4, 4, 2],
  [13, 2, 29, 38, 52, 67, 8, 781, 3, 7],
  [66, 29, 13, 14, 6, 3, 8, 3, 836, 22],
  [32, 96, 8, 17, 4, 7, 7, 16, 39, 774],
];

/**
 * `count` steps whose loss falls smoothly from 2.3, with a regular ripple as noise. Each takes `samples`; an epoch's
 * last one takes the rest of 50,000.
 */
export function sampleSteps(count: number, stepsPerEpoch: number, samples: number): StepRecord[] {
  return Array.from({ length: count }, (_, step) => {
    const isLast = step % stepsPerEpoch === stepsPerEpoch - 1;
    const size = isLast ? 50_000 - (stepsPerEpoch - 1) * samples : samples;
    const progress = step / count;
    const loss =
      (0.5 + 1.8 * Math.exp(-5 * progress)) * (1 + 0.12 * Math.sin(step * 12.9898) * Math.cos(step * 4.1414));
    const share = 0.1 + 0.68 * (1 - Math.exp(-5 * progress));
    return {
      step,
      epoch: Math.floor(step / stepsPerEpoch) + 1,
      samples: size,
      loss,
      correct: Math.round(size * share),
      learningRate: 0.025 * (1 + Math.cos(Math.PI * progress)) * Math.min(1, (step + 1) / 50),
      durationMs: 60,
      workers: 2,
    };
  });
}

export function sampleEvaluation(step: number, stepsPerEpoch: number, share = 1): EvaluationRecord {
  const confusion = sampleConfusion;
  const correct = Math.round(confusion.reduce((sum, row, i) => sum + (row[i] ?? 0), 0) * share);
  return { step, epoch: Math.floor(step / stepsPerEpoch), loss: 0.7783 / share, correct, total: 10_000, confusion };
}

/** A finished run of the cluster job, 205 steps per epoch; `changes` replace whole fields. */
export function sampleInput(changes: Partial<ReportInput> = {}): ReportInput {
  const [epochs, stepsPerEpoch] = [7, 205];
  const [labels, predictions] = [
    [3, 5, 1, 7],
    [3, 5, 0, 7],
  ] as const;
  const rows = predictions.map((predicted, i) => ({
    index: 9996 + i,
    logProbabilities: CLASSES.map((_, c) => (c === predicted ? -0.2214 : -3.1 - 0.83 * ((c * 7 + i) % 5))),
    predicted,
    label: labels[i] ?? 0,
  }));
  return {
    spec: parseSpec({ name: 'cluster-cnn3', model: 'cnn3', epochs, shards: 5, batchPerShard: 49 }),
    jobDigest: 'ab'.repeat(32),
    dataset: { title: 'CIFAR-10 (JPEG copy)', synthetic: false, classes: CLASSES, digest: 'cd'.repeat(32) },
    parameterCount: 137_430,
    stepsPerEpoch,
    steps: sampleSteps(epochs * stepsPerEpoch, stepsPerEpoch, 245),
    evaluations: [1, 2, 3, 4, 5, 6, 7].map((epoch) =>
      sampleEvaluation(epoch * stepsPerEpoch, stepsPerEpoch, 1 - 0.3 * (1 - epoch / 7) ** 2),
    ),
    digests: [1, 2, 3, 4, 5, 6, 7].map((epoch) => ({
      epoch,
      step: epoch * stepsPerEpoch,
      digest: `${epoch}f`.repeat(32),
    })),
    lastTestRows: rows,
    engine: {
      name: 'native',
      version: 'arithmetic 1',
      device: 'cpu',
      lowering: 'kernel plan',
      arithmetic: 1,
      fingerprint: '12'.repeat(32),
    },
    reproducible: true,
    targets: ['avx512 (the fastest of this processor)', 'wasm (--isa)'],
    workers: 2,
    seconds: 112,
    outcome: 'finished',
    finalDigest: 'ef'.repeat(32),
    ...changes,
  };
}
