// Original file: proto/lockstep/v1/control.proto

import type { Long } from '@grpc/proto-loader';

export interface WorkerStatusInput {
  'workerId'?: (string);
  /**
   * compiling, standby, late (it gets nothing more until it answers), or what its last heartbeat said: idle, receiving,
   * computing, sending.
   */
  'state'?: (string);
  /**
   * Shards that it computes; none for one that stands by.
   */
  'shards'?: (number)[];
  /**
   * e.g. "onnxruntime-node 1.30.0 cpu".
   */
  'engine'?: (string);
  /**
   * Time since its last message, in milliseconds.
   */
  'silentMs'?: (number | string);
  /**
   * As of its last heartbeat.
   */
  'residentBytes'?: (number | string);
  /**
   * Shards whose data it has.
   */
  'holding'?: (number)[];
  /**
   * Its last step, from its orders to the last of its results, in milliseconds; 0 before the first.
   */
  'stepMs'?: (number | string);
  /**
   * Tensors sent to it and received from it since it joined, in bytes.
   */
  'sentBytes'?: (number | string | Long);
  'receivedBytes'?: (number | string | Long);
}

export interface WorkerStatus {
  'workerId': (string);
  /**
   * compiling, standby, late (it gets nothing more until it answers), or what its last heartbeat said: idle, receiving,
   * computing, sending.
   */
  'state': (string);
  /**
   * Shards that it computes; none for one that stands by.
   */
  'shards': (number)[];
  /**
   * e.g. "onnxruntime-node 1.30.0 cpu".
   */
  'engine': (string);
  /**
   * Time since its last message, in milliseconds.
   */
  'silentMs': (number);
  /**
   * As of its last heartbeat.
   */
  'residentBytes': (number);
  /**
   * Shards whose data it has.
   */
  'holding': (number)[];
  /**
   * Its last step, from its orders to the last of its results, in milliseconds; 0 before the first.
   */
  'stepMs': (number);
  /**
   * Tensors sent to it and received from it since it joined, in bytes.
   */
  'sentBytes': (number);
  'receivedBytes': (number);
}
