// Original file: proto/lockstep/v1/cluster.proto

import type { ShardSpanInput as _lockstep_v1_ShardSpanInput, ShardSpan as _lockstep_v1_ShardSpan } from '../../lockstep/v1/ShardSpan.js';

/**
 * Timestamps of a worker's work on a node, in milliseconds on its monotonic clock, except order_sent_ms.
 */
export interface StampsInput {
  /**
   * Compute.sent_ms of the step's latest Compute, on the coordinator's clock.
   */
  'orderSentMs'?: (number | string);
  /**
   * Arrival of that Compute.
   */
  'orderReceivedMs'?: (number | string);
  /**
   * Arrival of the first and of the last chunk of the step's parameters.
   */
  'parametersBeginMs'?: (number | string);
  'parametersEndMs'?: (number | string);
  /**
   * One per shard of the node, in order of computation.
   */
  'shards'?: (_lockstep_v1_ShardSpanInput)[];
  /**
   * Just before the node's first chunk, and its last one, was written to the connection.
   */
  'sendBeginMs'?: (number | string);
  'sendEndMs'?: (number | string);
}

/**
 * Timestamps of a worker's work on a node, in milliseconds on its monotonic clock, except order_sent_ms.
 */
export interface Stamps {
  /**
   * Compute.sent_ms of the step's latest Compute, on the coordinator's clock.
   */
  'orderSentMs': (number);
  /**
   * Arrival of that Compute.
   */
  'orderReceivedMs': (number);
  /**
   * Arrival of the first and of the last chunk of the step's parameters.
   */
  'parametersBeginMs': (number);
  'parametersEndMs': (number);
  /**
   * One per shard of the node, in order of computation.
   */
  'shards': (_lockstep_v1_ShardSpan)[];
  /**
   * Just before the node's first chunk, and its last one, was written to the connection.
   */
  'sendBeginMs': (number);
  'sendEndMs': (number);
}
