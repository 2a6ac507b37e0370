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
   * Time of sending, in milliseconds on the coordinator's monotonic clock; 0 if unknown.
   */
  'sentMs'?: (number | string);
  /**
   * Threads for each shard of the nodes, in the order of computation, 1 to 64: more than in the job spec while cores of
   * the host are idle. Empty: as in the job spec. The bits are the same.
   */
  'threads'?: (number)[];
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
   * Time of sending, in milliseconds on the coordinator's monotonic clock; 0 if unknown.
   */
  'sentMs': (number);
  /**
   * Threads for each shard of the nodes, in the order of computation, 1 to 64: more than in the job spec while cores of
   * the host are idle. Empty: as in the job spec. The bits are the same.
   */
  'threads': (number)[];
}
