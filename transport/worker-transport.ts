import type { TreeNode } from '../job/tree.js';
import type { ClusterError } from '../proto/errors.js';
import type { Compute, Partial, ShardReport, Stamps } from '../proto/messages.js';
import type { OutgoingVector } from './outgoing-vector.js';

/**
 * Coordinator's end of the transport that carries the steps of one session: Compute messages and parameters go out,
 * partials come in. Implemented over gRPC (`grpc-transport.ts`) and within one machine (`local/coordinator-end.ts`).
 */
export interface WorkerTransport {
  /** Delivers later messages to `listener`, which replaces an earlier one. */
  listen(listener: TransportListener): void;
  /**
   * Sends a Compute message. The caller checks that the session is open.
   * @param parameters - sent too; undefined if the worker already has them. The values must not change before a worker
   *   has answered.
   */
  compute(message: Compute, parameters: OutgoingVector | undefined): void;
}

export interface TransportListener {
  /** Receives one chunk of a partial. Its bytes are complete and undamaged, and valid during the call only. */
  readonly onPartial: (partial: Partial) => void;
  /**
   * The connection ended, or the worker sent an invalid message or left too much unread. May be called more than once.
   */
  readonly onLost: (error: ClusterError) => void;
}

/** Worker's end of that transport, as used by the engine thread. */
export interface CoordinatorTransport {
  /** Sends a node's gradient sum; drops it if the coordinator has moved on. The gradient is borrowed until it settles. */
  deliver(result: NodeResult): void | Promise<void>;
}

/** Receiver of the messages at the worker's end; see `CoordinatorTransport`. */
export interface StepInbox {
  /** @param receivedMs - time of arrival, on the monotonic clock. */
  compute(message: Compute, receivedMs: number): void;
  /** @param vector - belongs to the receiver until the second vector after it. */
  keep(vector: ReceivedVector): void;
}

/** A vector that has arrived completely. */
export interface ReceivedVector {
  readonly step: number;
  /** Parameters followed by running statistics, for an evaluation. */
  readonly evaluation: boolean;
  readonly values: Float32Array;
  /** Arrival of the first and the last byte, on the monotonic clock. */
  readonly beginMs: number;
  readonly endMs: number;
}

/** Gradient sum of a node of the reduction tree, with the reports of its shards. */
export interface NodeResult {
  readonly term: number;
  readonly step: number;
  readonly node: TreeNode;
  readonly gradient: Float32Array;
  readonly reports: ShardReport[];
  /** Set if the coordinator asked for them; the transport adds the times of sending. */
  readonly stamps: Omit<Stamps, 'sendBeginMs' | 'sendEndMs'> | undefined;
}
