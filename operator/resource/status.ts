import { z } from 'zod';

/** Schema of `TrainingJob.status`. All texts are short, to keep `kubectl get` and the API server fast. */

const states = [
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
  reason: text('reason in one CamelCase word', 128),
  message: text('human-readable message', 2048),
  lastTransitionTime: time('last change of status'),
  observedGeneration: count('generation of the spec that this refers to').optional(),
});
export type Condition = z.infer<typeof condition>;

/** History of the coordinator's starts. A start counts once its pod has been observed. */
const coordinator = z.object({
  attempt: count('newest start whose pod was observed; 0 before the first'),
  ended: count('newest start whose end was recorded'),
  stopped: count('newest start that the operator stopped').optional(),
  failures: count('failed starts, limited by backoffLimit'),
  quick: count('consecutive starts that lasted less than a minute'),
  answered: count('newest start whose coordinator answered').optional(),
  doing: z.enum(['WaitingForWorkers', 'Running', 'Paused']).describe('state in its last answer').optional(),
  finished: count('newest start whose coordinator reported a finished run').optional(),
  since: time('time of the newest start').optional(),
  startAfter: time('earliest time of the next start').optional(),
  pod: text('pod of the newest start').optional(),
  credentials: text('suffix of the Secrets of the latest start: NAME-token-…', 63).optional(),
  lastEnd: text('reason why the most recently ended start ended', 1024).optional(),
});
export type CoordinatorMemory = z.infer<typeof coordinator>;

const workers = z.object({
  desired: count('spec.workers.replicas'),
  replicas: count('number of pods'),
  ready: count('workers that the coordinator counts as ready'),
  summary: text('ready/desired', 24),
  selector: text('label selector of the pods', 512),
});

export const statusSchema = z.object({
  observedGeneration: count('generation of the spec that this refers to').optional(),
  state: z.enum(states),
  message: text('human-readable reason for the state', 2048).optional(),
  conditions: z
    .array(condition)
    .max(8)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
  startTime: time('start of the current active period').optional(),
  completionTime: time('end of the job').optional(),
  progressTime: time('last update of the fields below').optional(),
  epoch: count('current epoch, from 1').optional(),
  epochs: count('epochs of the job').optional(),
  step: count('committed updates').optional(),
  totalSteps: count('steps of the job').optional(),
  progress: text('share of the steps, e.g. 41 %', 8).optional(),
  eta: text('estimated time to the end, e.g. 3m12s', 16).optional(),
  loss: text('training loss, mean of the last 10 steps', 24).optional(),
  accuracy: text('test accuracy at the last evaluation', 24).optional(),
  imagesPerSecond: count('training rate over the last 100 steps').optional(),
  workers: workers.optional(),
  restarts: count('restarts of the coordinator, except after a suspension').optional(),
  digest: text('newest digest of the digest chain', 64).optional(),
  digestEpoch: count('epoch of the digest').optional(),
  fingerprint: text("fingerprint of the workers' programs", 64).optional(),
  device: text('device of the workers').optional(),
  report: text('location of the report', 512).optional(),
  coordinator: coordinator.optional(),
});

export type TrainingJobStatus = z.infer<typeof statusSchema>;
