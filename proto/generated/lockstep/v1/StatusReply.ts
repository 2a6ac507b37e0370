// Original file: proto/lockstep/v1/control.proto

import type { WorkerStatusInput as _lockstep_v1_WorkerStatusInput, WorkerStatus as _lockstep_v1_WorkerStatus } from '../../lockstep/v1/WorkerStatus.js';
import type { WaitingForInput as _lockstep_v1_WaitingForInput, WaitingFor as _lockstep_v1_WaitingFor } from '../../lockstep/v1/WaitingFor.js';
import type { Long } from '@grpc/proto-loader';

export interface StatusReplyInput {
  /**
   * Name in the job spec.
   */
  'job'?: (string);
  /**
   * waiting, training, paused, evaluating, reporting, finished, stopped or failed.
   */
  'state'?: (string);
  /**
   * Reason for the state in words, e.g. "waiting for workers: 1 of 2 ready". While a step is overdue, the workers that
   * hold it up.
   */
  'reason'?: (string);
  /**
   * Committed updates, and the total number of the job.
   */
  'step'?: (number);
  'totalSteps'?: (number);
  /**
   * Current epoch, from 1, and number of epochs of the job.
   */
  'epoch'?: (number);
  'epochs'?: (number);
  /**
   * Training loss of the last step, as the mean over its samples; 0 before the first.
   */
  'loss'?: (number | string);
  /**
   * Mean over the last 100 steps since the coordinator's start; 0 before the first.
   */
  'imagesPerSecond'?: (number | string);
  /**
   * Share of test images classified correctly in the last evaluation, 0 to 1; 0 before the first.
   */
  'testAccuracy'?: (number | string);
  /**
   * Number of reassignments of shards.
   */
  'generation'?: (number);
  /**
   * Number of starts of the coordinator on this run, from 1.
   */
  'term'?: (number);
  /**
   * Connected workers.
   */
  'workers'?: (_lockstep_v1_WorkerStatusInput)[];
  /**
   * Since the coordinator's start: shard-steps that were computed twice as an audit.
   */
  'audited'?: (number);
  /**
   * Since the coordinator's start: tree nodes of stragglers that were dispatched to a backup.
   */
  'speculated'?: (number);
  /**
   * Since the coordinator's start: pairs of results for the same shards that differ in at least one bit.
   */
  'faults'?: (number);
  /**
   * Since the coordinator's start: steps that were skipped because their gradients were not finite.
   */
  'skipped'?: (number);
  /**
   * Learning rate of the last step; 0 before the first.
   */
  'learningRate'?: (number | string);
  /**
   * Mean training loss of the last 10 steps, or of fewer at the start; 0 before the first.
   */
  'lossMean'?: (number | string);
  /**
   * Estimated time to the end, in seconds, from the median of recent step times and the remaining evaluations. 0 if
   * unknown, or if the run is over.
   */
  'secondsLeft'?: (number | string);
  /**
   * Samples in all committed updates, including those of earlier starts.
   */
  'samplesTrained'?: (number | string | Long);
  /**
   * Average loss on the test set in the last evaluation, and the epoch after which it took place; 0 before the first.
   */
  'testLoss'?: (number | string);
  'testEpoch'?: (number);
  /**
   * Newest entry of the digest chain, 64 hexadecimal digits, and its epoch; empty and 0 before the end of the first.
   */
  'digest'?: (string);
  'digestEpoch'?: (number);
  /**
   * Committed updates in the newest complete checkpoint.
   */
  'checkpointStep'?: (number);
  /**
   * Absolute path on the coordinator's machine.
   */
  'runDirectory'?: (string);
  /**
   * Preset or file in the job spec.
   */
  'model'?: (string);
  /**
   * Title of the dataset, e.g. "CIFAR-10 (JPEG copy)".
   */
  'dataset'?: (string);
  /**
   * True for the synthetic dataset, whose results are not comparable with CIFAR-10.
   */
  'synthetic'?: (boolean);
  /**
   * Workers holding up the current step; empty unless it is overdue.
   */
  'waitingFor'?: (_lockstep_v1_WaitingForInput)[];
  /**
   * Fingerprint of the run, as in Ready, and the device of its workers, e.g. "cpu"; empty before the first step.
   */
  'fingerprint'?: (string);
  'device'?: (string);
}

export interface StatusReply {
  /**
   * Name in the job spec.
   */
  'job': (string);
  /**
   * waiting, training, paused, evaluating, reporting, finished, stopped or failed.
   */
  'state': (string);
  /**
   * Reason for the state in words, e.g. "waiting for workers: 1 of 2 ready". While a step is overdue, the workers that
   * hold it up.
   */
  'reason': (string);
  /**
   * Committed updates, and the total number of the job.
   */
  'step': (number);
  'totalSteps': (number);
  /**
   * Current epoch, from 1, and number of epochs of the job.
   */
  'epoch': (number);
  'epochs': (number);
  /**
   * Training loss of the last step, as the mean over its samples; 0 before the first.
   */
  'loss': (number);
  /**
   * Mean over the last 100 steps since the coordinator's start; 0 before the first.
   */
  'imagesPerSecond': (number);
  /**
   * Share of test images classified correctly in the last evaluation, 0 to 1; 0 before the first.
   */
  'testAccuracy': (number);
  /**
   * Number of reassignments of shards.
   */
  'generation': (number);
  /**
   * Number of starts of the coordinator on this run, from 1.
   */
  'term': (number);
  /**
   * Connected workers.
   */
  'workers': (_lockstep_v1_WorkerStatus)[];
  /**
   * Since the coordinator's start: shard-steps that were computed twice as an audit.
   */
  'audited': (number);
  /**
   * Since the coordinator's start: tree nodes of stragglers that were dispatched to a backup.
   */
  'speculated': (number);
  /**
   * Since the coordinator's start: pairs of results for the same shards that differ in at least one bit.
   */
  'faults': (number);
  /**
   * Since the coordinator's start: steps that were skipped because their gradients were not finite.
   */
  'skipped': (number);
  /**
   * Learning rate of the last step; 0 before the first.
   */
  'learningRate': (number);
  /**
   * Mean training loss of the last 10 steps, or of fewer at the start; 0 before the first.
   */
  'lossMean': (number);
  /**
   * Estimated time to the end, in seconds, from the median of recent step times and the remaining evaluations. 0 if
   * unknown, or if the run is over.
   */
  'secondsLeft': (number);
  /**
   * Samples in all committed updates, including those of earlier starts.
   */
  'samplesTrained': (number);
  /**
   * Average loss on the test set in the last evaluation, and the epoch after which it took place; 0 before the first.
   */
  'testLoss': (number);
  'testEpoch': (number);
  /**
   * Newest entry of the digest chain, 64 hexadecimal digits, and its epoch; empty and 0 before the end of the first.
   */
  'digest': (string);
  'digestEpoch': (number);
  /**
   * Committed updates in the newest complete checkpoint.
   */
  'checkpointStep': (number);
  /**
   * Absolute path on the coordinator's machine.
   */
  'runDirectory': (string);
  /**
   * Preset or file in the job spec.
   */
  'model': (string);
  /**
   * Title of the dataset, e.g. "CIFAR-10 (JPEG copy)".
   */
  'dataset': (string);
  /**
   * True for the synthetic dataset, whose results are not comparable with CIFAR-10.
   */
  'synthetic': (boolean);
  /**
   * Workers holding up the current step; empty unless it is overdue.
   */
  'waitingFor': (_lockstep_v1_WaitingFor)[];
  /**
   * Fingerprint of the run, as in Ready, and the device of its workers, e.g. "cpu"; empty before the first step.
   */
  'fingerprint': (string);
  'device': (string);
}
