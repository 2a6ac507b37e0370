// Original file: proto/lockstep/v1/control.proto

import type { WorkerStatusInput as _lockstep_v1_WorkerStatusInput, WorkerStatus as _lockstep_v1_WorkerStatus } from '../../lockstep/v1/WorkerStatus.js';
import type { WaitingForInput as _lockstep_v1_WaitingForInput, WaitingFor as _lockstep_v1_WaitingFor } from '../../lockstep/v1/WaitingFor.js';
import type { Long } from '@grpc/proto-loader';

export interface StatusReplyInput {
  'job'?: (string);
  /**
   * waiting, training, paused, evaluating, reporting, finished, stopped or failed.
   */
  'state'?: (string);
  /**
   * Why, in words: e.g. "waiting for workers: 1 of 2 ready"; while a step is late, whom it waits for.
   */
  'reason'?: (string);
  /**
   * Committed updates, and how many the job has.
   */
  'step'?: (number);
  'totalSteps'?: (number);
  /**
   * Epoch in progress, from 1.
   */
  'epoch'?: (number);
  'epochs'?: (number);
  /**
   * Mean loss of the last step; 0 before the first.
   */
  'loss'?: (number | string);
  /**
   * Over the last 100 steps of this start; 0 before the first.
   */
  'imagesPerSecond'?: (number | string);
  /**
   * Share of test images classified correctly at the last evaluation; 0 before the first.
   */
  'testAccuracy'?: (number | string);
  'generation'?: (number);
  'term'?: (number);
  'workers'?: (_lockstep_v1_WorkerStatusInput)[];
  /**
   * Since the coordinator's start: shard-steps computed twice on purpose, tree nodes given to a second worker because
   * the first was late, results of two workers for the same shards that differ in a bit, steps left out because their
   * gradients were not finite.
   */
  'audited'?: (number);
  'speculated'?: (number);
  'faults'?: (number);
  'skipped'?: (number);
  /**
   * Of the last step; 0 before the first.
   */
  'learningRate'?: (number | string);
  /**
   * Mean loss of the last 10 steps, of fewer at the beginning; 0 before the first.
   */
  'lossMean'?: (number | string);
  /**
   * From the median of recent step times and the evaluations that are left, as if the run went on now; 0 when unknown
   * or over.
   */
  'secondsLeft'?: (number | string);
  /**
   * Samples in all committed updates, those of earlier starts included.
   */
  'samplesTrained'?: (number | string | Long);
  /**
   * Of the last evaluation: average loss on the test set, and after which epoch; 0 before the first.
   */
  'testLoss'?: (number | string);
  'testEpoch'?: (number);
  /**
   * Newest link of the digest chain, 64 hexadecimal digits, and its epoch; empty and 0 before the first epoch's end.
   */
  'digest'?: (string);
  'digestEpoch'?: (number);
  /**
   * Updates in the newest complete checkpoint.
   */
  'checkpointStep'?: (number);
  /**
   * Absolute path on the coordinator's machine.
   */
  'runDirectory'?: (string);
  'model'?: (string);
  /**
   * e.g. "CIFAR-10 (JPEG copy)"; synthetic: results say nothing about CIFAR-10.
   */
  'dataset'?: (string);
  'synthetic'?: (boolean);
  /**
   * Whom the step in progress waits for, if it is late.
   */
  'waitingFor'?: (_lockstep_v1_WaitingForInput)[];
  /**
   * What the run is bound to: SHA-256 of what its programs compute on probe inputs, 64 hexadecimal digits, and the
   * device, e.g. "cpu"; empty before the first step.
   */
  'fingerprint'?: (string);
  'device'?: (string);
}

export interface StatusReply {
  'job': (string);
  /**
   * waiting, training, paused, evaluating, reporting, finished, stopped or failed.
   */
  'state': (string);
  /**
   * Why, in words: e.g. "waiting for workers: 1 of 2 ready"; while a step is late, whom it waits for.
   */
  'reason': (string);
  /**
   * Committed updates, and how many the job has.
   */
  'step': (number);
  'totalSteps': (number);
  /**
   * Epoch in progress, from 1.
   */
  'epoch': (number);
  'epochs': (number);
  /**
   * Mean loss of the last step; 0 before the first.
   */
  'loss': (number);
  /**
   * Over the last 100 steps of this start; 0 before the first.
   */
  'imagesPerSecond': (number);
  /**
   * Share of test images classified correctly at the last evaluation; 0 before the first.
   */
  'testAccuracy': (number);
  'generation': (number);
  'term': (number);
  'workers': (_lockstep_v1_WorkerStatus)[];
  /**
   * Since the coordinator's start: shard-steps computed twice on purpose, tree nodes given to a second worker because
   * the first was late, results of two workers for the same shards that differ in a bit, steps left out because their
   * gradients were not finite.
   */
  'audited': (number);
  'speculated': (number);
  'faults': (number);
  'skipped': (number);
  /**
   * Of the last step; 0 before the first.
   */
  'learningRate': (number);
  /**
   * Mean loss of the last 10 steps, of fewer at the beginning; 0 before the first.
   */
  'lossMean': (number);
  /**
   * From the median of recent step times and the evaluations that are left, as if the run went on now; 0 when unknown
   * or over.
   */
  'secondsLeft': (number);
  /**
   * Samples in all committed updates, those of earlier starts included.
   */
  'samplesTrained': (number);
  /**
   * Of the last evaluation: average loss on the test set, and after which epoch; 0 before the first.
   */
  'testLoss': (number);
  'testEpoch': (number);
  /**
   * Newest link of the digest chain, 64 hexadecimal digits, and its epoch; empty and 0 before the first epoch's end.
   */
  'digest': (string);
  'digestEpoch': (number);
  /**
   * Updates in the newest complete checkpoint.
   */
  'checkpointStep': (number);
  /**
   * Absolute path on the coordinator's machine.
   */
  'runDirectory': (string);
  'model': (string);
  /**
   * e.g. "CIFAR-10 (JPEG copy)"; synthetic: results say nothing about CIFAR-10.
   */
  'dataset': (string);
  'synthetic': (boolean);
  /**
   * Whom the step in progress waits for, if it is late.
   */
  'waitingFor': (_lockstep_v1_WaitingFor)[];
  /**
   * What the run is bound to: SHA-256 of what its programs compute on probe inputs, 64 hexadecimal digits, and the
   * device, e.g. "cpu"; empty before the first step.
   */
  'fingerprint': (string);
  'device': (string);
}
