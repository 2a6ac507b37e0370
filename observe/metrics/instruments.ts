import type * as PromClient from 'prom-client';

type Kinds = Pick<typeof PromClient, 'Counter' | 'Gauge' | 'Histogram'>;

/** Steps of small models take milliseconds, those of large ones seconds. */
const stepBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const recoveryBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300];
const checkpointBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * All metrics of a run, in base units, in a registry of their own. Counters count from this start of the coordinator.
 */
export function createInstruments({ Counter, Gauge, Histogram }: Kinds, registry: PromClient.Registry) {
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `lockstep_${name}_total`, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `lockstep_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[], labelNames: string[] = []) =>
    new Histogram({ name: `lockstep_${name}_seconds`, help, labelNames, buckets, registers });
  return {
    steps: counter('steps', 'Committed steps.'),
    samples: counter('samples', 'Training images of committed steps.'),
    evaluations: counter('evaluations', 'Evaluations on the test set.'),
    checkpoints: counter('checkpoints', 'Checkpoints written.'),
    sentBytes: counter('sent_bytes', 'Vectors and images sent to workers, without protocol overhead.', ['kind']),
    receivedBytes: counter('received_bytes', 'Vectors received from workers, without protocol overhead.', ['kind']),
    faults: counter(
      'faults',
      'Lost workers, results that differ in at least one bit, steps skipped because of non-finite gradients.',
      ['kind'],
    ),
    speculations: counter('speculations', 'Shards dispatched to a backup worker because the first was slow.'),
    audits: counter('audits', 'Shards computed twice on purpose, to compare the results.'),
    assignments: counter('assignments', 'Reassignments of shards to workers.'),

    step: histogram('step', 'Whole step: from its start to the update.', stepBuckets),
    phase: histogram('step_phase', 'Phases of a step, along the path of the partial that arrived last.', stepBuckets, [
      'phase',
    ]),
    shard: histogram('shard_compute', 'Computation of one shard in one step.', stepBuckets),
    recovery: histogram('recovery', 'From the loss of a worker to the next committed step.', recoveryBuckets),
    checkpoint: histogram('checkpoint', 'From the copy of the state to the durable file.', checkpointBuckets),
    blocked: histogram('checkpoint_blocked', 'Delay of the next step by a checkpoint.', checkpointBuckets),
    evaluation: histogram('evaluation', 'One evaluation on the test set.', stepBuckets),

    step_: gauge('step', 'Committed updates since the start of the job.'),
    epoch: gauge('epoch', 'Epoch in progress, from 1.'),
    progress: gauge('progress_ratio', 'Completed share of the job’s steps, 0 to 1.'),
    loss: gauge('loss', 'Mean loss over the last step’s images, before its update.'),
    meanLoss: gauge('loss_mean', 'Mean loss of about the last 10 steps.'),
    accuracy: gauge('test_accuracy_ratio', 'Test images classified correctly in the last evaluation, 0 to 1.'),
    testLoss: gauge('test_loss', 'Mean loss over the test set in the last evaluation.'),
    learningRate: gauge('learning_rate', 'Learning rate of the last step.'),
    rate: gauge('images_per_second', 'Training images per second, over about the last 50 steps.'),
    left: gauge('left_seconds', 'Estimated time of the remaining steps at that rate, without evaluations.'),
    state: gauge('state', '1 for the current state of the run.', ['state']),
    workers: gauge('workers', 'Connected workers by state.', ['state']),
    coordinatorMemory: gauge('coordinator_resident_memory_bytes', 'Resident memory of the coordinator.'),
    workerMemory: gauge('worker_resident_memory_bytes', 'Resident memory of a connected worker.', ['worker']),
    clockError: gauge('worker_clock_error_seconds', 'Upper bound of the error of a worker’s estimated clock.', [
      'worker',
    ]),
    dataset: gauge('dataset_bytes', 'Images and labels of the training and test set.'),
    build: gauge('build_info', 'Always 1; versions.', ['version', 'node']),
    run: gauge('run_info', 'Always 1; the job.', ['job', 'model', 'dataset', 'synthetic', 'digest', 'term']),
  };
}

export type Instruments = ReturnType<typeof createInstruments>;
