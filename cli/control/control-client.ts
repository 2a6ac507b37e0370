import { isEnd } from '../../coordinator/state/events.js';
import type { ControlReply, HistoryReply, StatusReply } from '../../proto/messages.js';

/** Receives the status of a watched run. */
export interface WatchListener {
  /** Called about once per second, and once at the end. */
  status(status: StatusReply): void;
  /** Called repeatedly while the coordinator doesn't respond. */
  away(reason: string): void;
}

/** Control of a running job, over gRPC or NATS. */
export interface ControlClient {
  status(): Promise<StatusReply>;
  /** @param points - maximum number of points of the loss curve, 1 to 500. */
  history(points: number): Promise<HistoryReply>;
  pause(): Promise<ControlReply>;
  resume(): Promise<ControlReply>;
  checkpoint(): Promise<ControlReply>;
  stop(): Promise<ControlReply>;
  /** @param workers - 0 to 1024. */
  scale(workers: number): Promise<ControlReply>;
  /**
   * Follows the run and reconnects as needed. Resolves after the run's last status, or when `signal` is aborted.
   * @throws ClusterError when the coordinator rejects the call, or hasn't responded for the time that `--wait` allows.
   */
  watch(listener: WatchListener, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** True for a run's last status. */
export function isOver({ state }: Pick<StatusReply, 'state'>): boolean {
  return isEnd(state);
}
