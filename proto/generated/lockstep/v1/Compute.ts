// Original file: proto/lockstep/v1/cluster.proto

import type { NodeInput as _lockstep_v1_NodeInput, Node as _lockstep_v1_Node } from '../../lockstep/v1/Node.js';

/**
 * Compute these nodes of a step. The parameters of that step follow unless the worker has them already.
 */
export interface ComputeInput {
  'term'?: (number);
  'step'?: (number);
  'generation'?: (number);
  'nodes'?: (_lockstep_v1_NodeInput)[];
  /**
   * How many of the nodes' shards, the last ones, may be computed wide, as cores of the host have nothing else to do
   * meanwhile. The bits are the same.
   */
  'wide'?: (number);
  /**
   * When it was sent, in milliseconds on the coordinator's monotonic clock, whose zero is anywhere; 0: not said.
   */
  'sentMs'?: (number | string);
}

/**
 * Compute these nodes of a step. The parameters of that step follow unless the worker has them already.
 */
export interface Compute {
  'term': (number);
  'step': (number);
  'generation': (number);
  'nodes': (_lockstep_v1_Node)[];
  /**
   * How many of the nodes' shards, the last ones, may be computed wide, as cores of the host have nothing else to do
   * meanwhile. The bits are the same.
   */
  'wide': (number);
  /**
   * When it was sent, in milliseconds on the coordinator's monotonic clock, whose zero is anywhere; 0: not said.
   */
  'sentMs': (number);
}
