import type { RunView } from '../../coordinator/state/run-view.js';
import type { RunEvent } from '../../coordinator/state/events.js';
import { predict, scoreRows } from '../../coordinator/stepping/evaluation.js';
import { RunHistory } from '../../coordinator/state/history.js';
import type { StepRecord } from '../../run/records.js';
import { makeSynthetic } from '../../data/synthetic.js';
import { planSteps } from '../../job/plan.js';
import type { StatusReply } from '../../proto/messages.js';
import { smallManifest } from '../coordinator/manifest.js';
import { sampleSteps } from '../run/report/sample.js';

export const stepEvent = (record: StepRecord): RunEvent => ({ type: 'step', record });

/** An evaluation of a test set with made-up answers: every third one is wrong. */
export function evaluationEvent(labels: Uint8Array, step: number, epoch: number): RunEvent {
  const classes = 10;
  const rows = new Float32Array(labels.length * classes).fill(Math.log(0.01));
  for (const [i, label] of labels.entries()) {
    const answer = i % 3 === 0 ? (label + 1) % classes : label;
    rows[i * classes + answer] = Math.log(0.5 + (0.4 * i) / labels.length);
  }
  const record = scoreRows(rows, labels, classes, { step, epoch });
  return {
    type: 'evaluation',
    record,
    testRows: [],
    predictions: predict(rows, labels.length, classes),
    durationMs: 9,
  };
}

/** A run to be observed: the synthetic dataset's images, and steps, an evaluation and a digest as events. */
export function sampleRun(path: string, { steps = 0, epochs = 2, stepsPerEpoch = 100, testImages = 90 } = {}) {
  const dataset = makeSynthetic({ trainBatches: 1, imagesPerBatch: 10, testImages });
  const manifest = smallManifest(137_430);
  const { classes, imageShape, title } = dataset;
  Object.assign(manifest.dataset, { classes, imageShape, title, testSamples: testImages });
  const plan = { ...planSteps(manifest.spec, 8), epochs, stepsPerEpoch, totalSteps: epochs * stepsPerEpoch };
  const history = new RunHistory();
  const nothing = { steps: [], evaluations: [], digests: [] };
  const before = () => Promise.resolve(nothing);
  const view: RunView = {
    manifest,
    plan,
    test: dataset.test,
    trainShard: () => undefined,
    term: 1,
    path,
    runId: 'r',
    history,
    before,
  };
  for (const record of sampleSteps(steps, stepsPerEpoch, 245)) history.add(stepEvent(record), 0);
  return { view, history, status: () => Promise.resolve(statusReply) };
}

/** The coordinator's status of two workers. */
export const statusReply: StatusReply = {
  ...{ job: 'small', state: 'training', reason: '', step: 0, totalSteps: 200, epoch: 1, epochs: 2, loss: 0 },
  ...{ imagesPerSecond: 0, testAccuracy: 0, generation: 1, term: 1, audited: 0, speculated: 0, faults: 0, skipped: 0 },
  ...{ learningRate: 0.1, lossMean: 1, secondsLeft: 9, samplesTrained: 30, testLoss: 0, testEpoch: 0 },
  ...{ digest: '', digestEpoch: 0, checkpointStep: 0, runDirectory: '/runs/j', model: 'cnn3' },
  ...{ dataset: 'd', synthetic: true, waitingFor: [], fingerprint: '', device: '' },
  workers: ['one', 'two'].map((workerId, i) => ({
    workerId,
    state: 'computing',
    shards: [i],
    engine: 'arithmetic 1 avx512',
    engineReason: 'the fastest',
    silentMs: 3,
    residentBytes: 3e8,
    holding: [i],
    stepMs: 31.5,
    sentBytes: 5e6,
    receivedBytes: 4e6,
  })),
};
