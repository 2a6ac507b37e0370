/** The tensor whose chunks a message fault affects: on their way to a worker, or from it. */
type Chunked = 'parameters' | 'partial';

/**
 * Faults of a cluster. Times are in milliseconds.
 *
 * - kill: SIGKILL for the worker; another process replaces it
 * - stop: SIGSTOP for the worker, SIGCONT after `ms`
 * - sever: its connections are reset
 * - hold: nothing passes between it and the coordinator for `ms`: a delay, or a black hole if longer than the heartbeat
 *   limit
 * - corrupt, duplicate, reorder: one bit flipped in a chunk, a chunk sent twice, two neighbouring chunks swapped
 * - engineThrow: the worker's engine throws at its next run
 * - outOfMemory: the worker's engine thread fills its heap at its next run
 * - killCoordinator: SIGKILL; it is restarted on the same run directory
 * - killDuringCheckpoint: SIGKILL while a checkpoint is half written
 * - join, leave: one more worker; a worker is asked to leave, without replacement
 * - fillDisk: the coordinator's files may not grow beyond `bytes`; once it has exited, it is restarted without that
 *   limit
 */
export type Fault = WorkerFault | ClusterFault;

export type WorkerFault =
  | { readonly kind: 'kill' | 'sever' | 'engineThrow' | 'outOfMemory' }
  | { readonly kind: 'stop' | 'hold'; readonly ms: number }
  | MessageFault;

export interface MessageFault {
  readonly kind: 'corrupt' | 'duplicate' | 'reorder';
  readonly what: Chunked;
}

type ClusterFault =
  | { readonly kind: 'join' | 'leave' | 'killCoordinator' | 'killDuringCheckpoint' }
  | { readonly kind: 'fillDisk'; readonly bytes: number };

/**
 * A fault and its trigger: the first Compute message for `step` or a later one that this worker is sent; for a fault of
 * the coordinator, that any worker is sent.
 */
export interface PlannedFault {
  readonly at: { readonly worker?: number; readonly step: number };
  readonly fault: Fault;
}

export type FaultPlan = readonly PlannedFault[];

/** One line per fault, for messages of failed tests: `worker 1, step 12: hold 3000 ms`. */
export function describeFault({ at, fault }: PlannedFault): string {
  const who = at.worker === undefined ? 'coordinator' : `worker ${at.worker}`;
  return `${who}, step ${at.step}: ${nameOf(fault)}`;
}

function nameOf(fault: Fault): string {
  switch (fault.kind) {
    case 'stop':
    case 'hold':
      return `${fault.kind} ${fault.ms} ms`;
    case 'corrupt':
    case 'duplicate':
    case 'reorder':
      return `${fault.kind} ${fault.what}`;
    case 'fillDisk':
      return `fillDisk ${fault.bytes} bytes`;
    default:
      return fault.kind;
  }
}
