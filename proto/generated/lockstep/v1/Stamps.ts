// Original file: proto/lockstep/v1/cluster.proto

import type { ShardSpanInput as _lockstep_v1_ShardSpanInput, ShardSpan as _lockstep_v1_ShardSpan } from '../../lockstep/v1/ShardSpan.js';

/**
 * When a worker did what for a node; in milliseconds on its own monotonic clock, but for order_sent_ms.
 */
export interface StampsInput {
  /**
   * Compute.sent_ms of the step's newest order, as it came.
   */
  'orderSentMs'?: (number | string);
  /**
   * When that order came.
   */
  'orderReceivedMs'?: (number | string);
  /**
   * First and last chunk of the step's parameters.
   */
  'parametersBeginMs'?: (number | string);
  'parametersEndMs'?: (number | string);
  /**
   * One per shard of the node, in the order in which they were computed.
   */
  'shards'?: (_lockstep_v1_ShardSpanInput)[];
  /**
   * Before the first chunk of the node, and before the last one, was handed to the connection.
   */
  'sendBeginMs'?: (number | string);
  'sendEndMs'?: (number | string);
}

/**
 * When a worker did what for a node; in milliseconds on its own monotonic clock, but for order_sent_ms.
 */
export interface Stamps {
  /**
   * Compute.sent_ms of the step's newest order, as it came.
   */
  'orderSentMs': (number);
  /**
   * When that order came.
   */
  'orderReceivedMs': (number);
  /**
   * First and last chunk of the step's parameters.
   */
  'parametersBeginMs': (number);
  'parametersEndMs': (number);
  /**
   * One per shard of the node, in the order in which they were computed.
   */
  'shards': (_lockstep_v1_ShardSpan)[];
  /**
   * Before the first chunk of the node, and before the last one, was handed to the connection.
   */
  'sendBeginMs': (number);
  'sendEndMs': (number);
}
