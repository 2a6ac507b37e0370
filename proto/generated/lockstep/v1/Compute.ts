// Original file: proto/lockstep/v1/cluster.proto

import type { NodeInput as _lockstep_v1_NodeInput, Node as _lockstep_v1_Node } from '../../lockstep/v1/Node.js';

/**
 * Compute these nodes of a step. The step's parameters follow unless they were already sent to the worker.
 */
export interface ComputeInput {
  /**
   * As in Welcome.
   */
  'term'?: (number);
  /**
   * Committed updates, which is also the index of the step to compute.
   */
  'step'?: (number);
  /**
   * As in Assignment.
   */
  'generation'?: (number);
  /**
   * In the order in which to compute them.
   */
  'nodes'?: (_lockstep_v1_NodeInput)[];
  /**
   * Number of the nodes' shards, counted from the last, that may use an extra thread because cores of the host are idle.
   * The bits are the same.
   */
  'wide'?: (number);
  /**
   * Time of sending, in milliseconds on the coordinator's monotonic clock; 0 if unknown.
   */
  'sentMs'?: (number | string);
}

/**
 * Compute these nodes of a step. The step's parameters follow unless they were already sent to the worker.
 */
export interface Compute {
  /**
   * As in Welcome.
   */
  'term': (number);
  /**
   * Committed updates, which is also the index of the step to compute.
   */
  'step': (number);
  /**
   * As in Assignment.
   */
  'generation': (number);
  /**
   * In the order in which to compute them.
   */
  'nodes': (_lockstep_v1_Node)[];
  /**
   * Number of the nodes' shards, counted from the last, that may use an extra thread because cores of the host are idle.
   * The bits are the same.
   */
  'wide': (number);
  /**
   * Time of sending, in milliseconds on the coordinator's monotonic clock; 0 if unknown.
   */
  'sentMs': (number);
}
