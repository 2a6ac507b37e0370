import { ClusterError } from '../../proto/errors.js';
import type { CoordinatorStatus } from '../plan/coordinator-status.js';
import { cleanText } from '../resource/clean-text.js';
import type { Pump } from './gated-socket.js';
import { GrpcSession, UntrustedPeer } from './grpc-session.js';
import { RateLimit } from '../kube/rate-limit.js';
import type { JobIdentity } from '../kube/secrets.js';
import { maxReplyBytes, readStatusReply } from './status-reply.js';

/** Time without a status, normally sent once per second, after which a coordinator counts as unresponsive. */
const silentMs = 10_000;
/** Statuses per second, and in a burst after a network delay. A coordinator that sends more is disconnected. */
const statusRate = { perSecond: 2, burst: 30 };
const maxErrorText = 300;

/** Control service of one coordinator's pod, which runs an image chosen by its job's owner. */
export class CoordinatorChannel {
  private constructor(
    private readonly session: GrpcSession,
    private readonly address: string,
  ) {}

  /**
   * @param address - the pod's address. Its certificate names `serverName`, not the address.
   * @throws ClusterError
   */
  static async open(
    { address, serverName }: { readonly address: string; readonly serverName: string },
    { token, ...tls }: JobIdentity,
    pump: Pump,
    signal: AbortSignal,
  ): Promise<CoordinatorChannel> {
    try {
      const peer = { address, identity: { ...tls, serverName }, token };
      return new CoordinatorChannel(await GrpcSession.connect(peer, pump, signal), address);
    } catch (error) {
      throw failure(`connect ${address}`, error);
    }
  }

  /**
   * Follows the run to its end.
   * @returns once the coordinator has ended the stream.
   * @throws ClusterError if the stream breaks or goes silent, or a message is not a status.
   */
  async watch(onStatus: (status: CoordinatorStatus) => void, signal: AbortSignal): Promise<void> {
    const limit = new RateLimit(statusRate.perSecond, statusRate.burst);
    const silent = new AbortController();
    const watchdog = setTimeout(() => silent.abort(), silentMs);
    const onReply = (message: Buffer) => {
      if (!limit.tryTake(performance.now()))
        throw new Error(`expected at most ${statusRate.perSecond} statuses per second, got more`);
      const status = readStatusReply(message);
      watchdog.refresh();
      onStatus(status);
    };
    const path = '/lockstep.v1.Control/Watch';
    const ending = AbortSignal.any([signal, silent.signal]);
    try {
      await this.session.call({ path, maxReplyBytes, onReply, signal: ending });
    } catch (error) {
      const why = silent.signal.aborted ? new Error(`expected a status within ${silentMs / 1000} s, got none`) : error;
      throw failure(`watch ${this.address}`, why);
    } finally {
      clearTimeout(watchdog);
    }
  }

  /** Requests a checkpoint. @throws ClusterError if there is no answer before `signal` is aborted. */
  async checkpoint(signal: AbortSignal): Promise<void> {
    const onReply = () => undefined;
    try {
      await this.session.call({ path: '/lockstep.v1.Control/Checkpoint', maxReplyBytes, onReply, signal });
    } catch (error) {
      throw failure(`checkpoint ${this.address}`, error);
    }
  }

  close(): void {
    this.session.close();
  }
}

function failure(operation: string, error: unknown): ClusterError {
  const words = cleanText(error instanceof Error ? error.message : 'unknown error', maxErrorText);
  const code = error instanceof UntrustedPeer ? 'UNTRUSTED' : 'UNREACHABLE';
  return new ClusterError(code, `${operation}: ${words}`);
}

/** True if one side rejected the other's certificate or token. */
export function isUntrusted(error: unknown): boolean {
  return error instanceof ClusterError && error.code === 'UNTRUSTED';
}
