import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelOptions, ServiceError } from '@grpc/grpc-js';
import { parseEndpoint } from '../../transport/listen.js';
import { callMetadata } from '../../transport/auth.js';
import { ClusterError, fromServiceError } from '../../proto/errors.js';
import type { TlsIdentity } from '../../transport/tls-identity.js';
import { limitConnecting } from '../../transport/liveness.js';
import type { ControlReply, HistoryReply, StatusReply } from '../../proto/messages.js';
import { channelOptions, Control, type ControlClient as Stub } from '../../transport/services.js';
import { diagnoseTls } from '../../transport/tls-diagnosis.js';
import { channelSecurity } from '../../transport/tls.js';
import { type ControlClient, isOver, type WatchListener } from './control-client.js';

/** A status is answered at once; the rest waits up to 8 s for the border between two steps. */
const lookLimitMs = 5_000;
const borderLimitMs = 15_000;
const againMs = 1_000;

/** A coordinator that is gone without a word is noticed; one that comes back is found again soon. */
const options = {
  ...channelOptions,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 500,
  'grpc.max_reconnect_backoff_ms': againMs,
} satisfies ChannelOptions;

/** Control of a job by its coordinator's address. */
export class GrpcControl implements ControlClient {
  #stub: Stub;

  /** @throws JobError BAD_OPTION */
  constructor(
    private readonly to: {
      readonly address: string;
      readonly token?: string | undefined;
      readonly tls?: TlsIdentity | undefined;
      /** How long `watch` goes on without an answer. */
      readonly waitMs?: number | undefined;
    },
  ) {
    parseEndpoint(to.address, '--coordinator');
    this.#stub = this.#newStub();
  }

  status(): Promise<StatusReply> {
    return this.#call<StatusReply>('Status', {}, lookLimitMs);
  }
  history(points: number): Promise<HistoryReply> {
    return this.#call<HistoryReply>('History', { points }, lookLimitMs);
  }
  pause(): Promise<ControlReply> {
    return this.#call<ControlReply>('Pause', {}, borderLimitMs);
  }
  resume(): Promise<ControlReply> {
    return this.#call<ControlReply>('Resume', {}, borderLimitMs);
  }
  checkpoint(): Promise<ControlReply> {
    return this.#call<ControlReply>('Checkpoint', {}, borderLimitMs);
  }
  stop(): Promise<ControlReply> {
    return this.#call<ControlReply>('Stop', {}, borderLimitMs);
  }
  scale(workers: number): Promise<ControlReply> {
    return this.#call<ControlReply>('Scale', { workers }, borderLimitMs);
  }

  async watch(listener: WatchListener, signal: AbortSignal): Promise<void> {
    const { address, waitMs = Infinity } = this.to;
    let heardMs = performance.now();
    const heard = (status: StatusReply) => {
      heardMs = performance.now();
      listener.status(status);
    };
    while (!signal.aborted) {
      const away = await this.#follow(heard, signal);
      if (away === undefined || signal.aborted) return;
      const silentMs = performance.now() - heardMs;
      if (!away.retryable || silentMs > waitMs) throw away;
      listener.away(`no answer from ${address} for ${Math.round(silentMs / 1000)} s (${away.message}); trying again`);
      await sleep(againMs, undefined, { signal }).catch(() => undefined);
      // A pending connection attempt may sleep for a minute after the network is back.
      this.#stub.close();
      this.#stub = this.#newStub();
    }
  }

  close(): void {
    this.#stub.close();
  }

  #newStub(): Stub {
    const { address, tls } = this.to;
    const security = channelSecurity(tls, address);
    return new Control(address, security.credentials, { ...options, ...security.options });
  }

  /** Follows one stream to its end. @returns undefined when the run is over, else why it ended. */
  async #follow(heard: (status: StatusReply) => void, signal: AbortSignal): Promise<ClusterError | undefined> {
    const operation = `watch ${this.to.address}`;
    const stream = this.#stub.Watch({}, callMetadata(this.to.token));
    const cancel = () => stream.cancel();
    signal.addEventListener('abort', cancel);
    let late: ClusterError | undefined;
    const connecting = limitConnecting(this.#stub, operation, (error) => {
      late = error;
      cancel();
    });
    let over = false;
    stream.on('data', (status: StatusReply) => {
      over = isOver(status);
      heard(status);
    });
    try {
      await once(stream, 'end');
      return over ? undefined : new ClusterError('UNREACHABLE', `${operation}: the coordinator ended the connection`);
    } catch (error) {
      return await this.#diagnosed(late ?? fromServiceError(error as ServiceError, operation), operation);
    } finally {
      clearTimeout(connecting);
      signal.removeEventListener('abort', cancel);
      // What the cancelled call still has to say.
      stream.on('error', () => undefined);
    }
  }

  #call<Reply>(method: 'Status' | 'History' | Request, request: object, limitMs: number): Promise<Reply> {
    const { address, token } = this.to;
    return new Promise<Reply>((resolve, reject) => {
      const deadline = { deadline: Date.now() + limitMs };
      const answer = (error: ServiceError | null, reply?: unknown) => {
        if (!error && reply !== undefined) return resolve(reply as Reply);
        const operation = method.toLowerCase();
        const failure = fromServiceError(error!, operation);
        void this.#diagnosed(failure, operation).then((reason) => reject(explain(reason, address)));
      };
      this.#stub[method](request, callMetadata(token), deadline, answer);
    });
  }

  /** What gRPC has no words for: that nobody was reached because of TLS. */
  async #diagnosed(error: ClusterError, operation: string): Promise<ClusterError> {
    if (error.code !== 'UNREACHABLE') return error;
    return (await diagnoseTls(operation, this.to.address, this.to.tls)) ?? error;
  }
}

/** Says what to do where nobody answers. */
function explain(error: ClusterError, address: string): ClusterError {
  if (error.code !== 'UNREACHABLE') return error;
  const [operation = 'control'] = error.message.split(':', 1);
  const message = `${operation}: expected a coordinator at ${address}, got no answer; has its job ended? (${error.message})`;
  return new ClusterError('UNREACHABLE', message, { cause: error });
}

type Request = 'Pause' | 'Resume' | 'Checkpoint' | 'Stop' | 'Scale';
