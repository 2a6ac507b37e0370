// Original file: proto/lockstep/v1/control.proto

import type { Long } from '@grpc/proto-loader';

export interface WorkerStatusInput {
  'workerId'?: (string);
  /**
   * compiling, standby, late (a straggler, which gets no more work until it replies), or the phase in its last heartbeat:
   * idle, receiving, computing or sending.
   */
  'state'?: (string);
  /**
   * Shards that the worker computes; empty for a standby.
   */
  'shards'?: (number)[];
  /**
   * Version and device of the engine, e.g. "arithmetic 1 avx512" (native: its instruction set instead of the device) or
   * "onnxruntime-node 1.30.0 cuda"; empty while compiling.
   */
  'engine'?: (string);
  /**
   * Time since its last message, in milliseconds.
   */
  'silentMs'?: (number | string);
  /**
   * Resident memory in bytes, from its last heartbeat.
   */
  'residentBytes'?: (number | string);
  /**
   * Shards whose data the worker holds.
   */
  'holding'?: (number)[];
  /**
   * Duration of its last step, from dispatch to its last result, in milliseconds; 0 before the first.
   */
  'stepMs'?: (number | string);
  /**
   * Bytes of tensors sent to and received from the worker since it joined.
   */
  'sentBytes'?: (number | string | Long);
  'receivedBytes'?: (number | string | Long);
  /**
   * Reason for the native engine's instruction set in words; empty with other engines.
   */
  'engineReason'?: (string);
}

export interface WorkerStatus {
  'workerId': (string);
  /**
   * compiling, standby, late (a straggler, which gets no more work until it replies), or the phase in its last heartbeat:
   * idle, receiving, computing or sending.
   */
  'state': (string);
  /**
   * Shards that the worker computes; empty for a standby.
   */
  'shards': (number)[];
  /**
   * Version and device of the engine, e.g. "arithmetic 1 avx512" (native: its instruction set instead of the device) or
   * "onnxruntime-node 1.30.0 cuda"; empty while compiling.
   */
  'engine': (string);
  /**
   * Time since its last message, in milliseconds.
   */
  'silentMs': (number);
  /**
   * Resident memory in bytes, from its last heartbeat.
   */
  'residentBytes': (number);
  /**
   * Shards whose data the worker holds.
   */
  'holding': (number)[];
  /**
   * Duration of its last step, from dispatch to its last result, in milliseconds; 0 before the first.
   */
  'stepMs': (number);
  /**
   * Bytes of tensors sent to and received from the worker since it joined.
   */
  'sentBytes': (number);
  'receivedBytes': (number);
  /**
   * Reason for the native engine's instruction set in words; empty with other engines.
   */
  'engineReason': (string);
}
