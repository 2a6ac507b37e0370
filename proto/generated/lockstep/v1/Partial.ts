// Original file: proto/lockstep/v1/cluster.proto

import type { NodeInput as _lockstep_v1_NodeInput, Node as _lockstep_v1_Node } from '../../lockstep/v1/Node.js';
import type { ShardReportInput as _lockstep_v1_ShardReportInput, ShardReport as _lockstep_v1_ShardReport } from '../../lockstep/v1/ShardReport.js';
import type { StampsInput as _lockstep_v1_StampsInput, Stamps as _lockstep_v1_Stamps } from '../../lockstep/v1/Stamps.js';

/**
 * One chunk of a node's gradient sum, f32 little-endian, divided as in Parameters. A node's chunks are sent in order,
 * without chunks of other nodes between them.
 */
export interface PartialInput {
  /**
   * As in Compute.
   */
  'term'?: (number);
  'step'?: (number);
  'node'?: (_lockstep_v1_NodeInput | null);
  'chunk'?: (number);
  'chunks'?: (number);
  'data'?: (Buffer | Uint8Array | string);
  /**
   * With chunk 0: one report per shard of the node, in shard order.
   */
  'reports'?: (_lockstep_v1_ShardReportInput)[];
  /**
   * CRC-32 (as in zlib) of the chunk's bytes.
   */
  'crc'?: (number);
  /**
   * With the last chunk, unless Compute.sent_ms was 0.
   */
  'stamps'?: (_lockstep_v1_StampsInput | null);
}

/**
 * One chunk of a node's gradient sum, f32 little-endian, divided as in Parameters. A node's chunks are sent in order,
 * without chunks of other nodes between them.
 */
export interface Partial {
  /**
   * As in Compute.
   */
  'term': (number);
  'step': (number);
  'node': (_lockstep_v1_Node | null);
  'chunk': (number);
  'chunks': (number);
  'data': (Uint8Array);
  /**
   * With chunk 0: one report per shard of the node, in shard order.
   */
  'reports': (_lockstep_v1_ShardReport)[];
  /**
   * CRC-32 (as in zlib) of the chunk's bytes.
   */
  'crc': (number);
  /**
   * With the last chunk, unless Compute.sent_ms was 0.
   */
  'stamps': (_lockstep_v1_Stamps | null);
}
