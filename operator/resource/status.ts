import { z } from 'zod';

/** The schema of `TrainingJob.status`; every text is short, so that `kubectl get` and the API server stay quick. */

export const states = [
  'Pending',
  'WaitingForWorkers',
  'Running',
  'Paused',
  'Restarting',
  'Suspending',
  'Suspended',
  'Succeeded',
  'Failed',
] as const;
export type State = (typeof states)[number];

export const conditionTypes = [
  'Initialized',
  'Running',
  'Suspended',
  'WaitingForWorkers',
  'Succeeded',
  'Failed',
] as const;
export type ConditionType = (typeof conditionTypes)[number];

const count = (what: string) => z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe(what);
const text = (what: string, max = 253) => z.string().max(max).describe(what);
const time = (what: string) => z.string().max(40).describe(what).meta({ format: 'date-time' });

const condition = z.object({
  type: z.enum(conditionTypes),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: text('one word', 128),
  message: text('in words', 2048),
  lastTransitionTime: time('when status changed last'),
  observedGeneration: count('of the spec that this is about').optional(),
});
export type Condition = z.infer<typeof condition>;

/** What the operator must remember of the coordinator's starts. An attempt counts once its pod was seen. */
const coordinator = z.object({
  attempt: count('number of the newest start whose pod was seen; 0 before the first'),
  ended: count('newest start whose end was taken note of'),
  stopped: count('newest start that the operator itself ended').optional(),
  failures: count('starts that failed; backoffLimit is about them'),
  quick: count('starts in a row that lasted less than a minute'),
  answered: count('newest start whose coordinator answered').optional(),
  doing: z.enum(['WaitingForWorkers', 'Running', 'Paused']).describe('what it answered last').optional(),
  finished: count('newest start whose coordinator said that the run is finished').optional(),
  since: time('when the newest start began').optional(),
  startAfter: time('no new start before').optional(),
  pod: text('of the newest start').optional(),
  credentials: text('suffix of the Secrets of the latest start: NAME-token-…', 63).optional(),
  lastEnd: text('how the last start that ended did so', 1024).optional(),
});
export type CoordinatorMemory = z.infer<typeof coordinator>;

const workers = z.object({
  desired: count('spec.workers.replicas'),
  replicas: count('pods'),
  ready: count('workers that the coordinator counts as ready'),
  summary: text('ready/desired', 24),
  selector: text('labels of the pods', 512),
});

export const statusSchema = z.object({
  observedGeneration: count('of the spec that this is about').optional(),
  state: z.enum(states),
  message: text('why, in words', 2048).optional(),
  conditions: z
    .array(condition)
    .max(8)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
  startTime: time('begin of the present activity').optional(),
  completionTime: time('end of the job').optional(),
  progressTime: time('of the figures below').optional(),
  epoch: count('in progress, from 1').optional(),
  epochs: count('of the job').optional(),
  step: count('committed updates').optional(),
  totalSteps: count('of the job').optional(),
  progress: text('share of the steps, e.g. 41 %', 8).optional(),
  eta: text('time to the end at the present pace, e.g. 3m12s', 16).optional(),
  loss: text('mean of the last 10 steps', 24).optional(),
  accuracy: text('on the test set at the last evaluation', 24).optional(),
  imagesPerSecond: count('over the last 100 steps').optional(),
  workers: workers.optional(),
  restarts: count('starts of the coordinator after the first, those after a suspension not counted').optional(),
  digest: text('newest link of the digest chain', 64).optional(),
  digestEpoch: count('epoch of the digest').optional(),
  fingerprint: text("of the workers' programs", 64).optional(),
  device: text('that the run computes on').optional(),
  report: text('where the report is', 512).optional(),
  coordinator: coordinator.optional(),
});

export type TrainingJobStatus = z.infer<typeof statusSchema>;
