import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOptions, ChannelOptions, Metadata, requestCallback, ServiceError } from '@grpc/grpc-js';
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

/** Status and history are answered at once; other requests wait up to 8 s for a step boundary. */
const readLimitMs = 5_000;
const boundaryLimitMs = 15_000;
const retryMs = 1_000;

/** Keepalives detect a coordinator that disappeared; short backoffs find it again soon after it returns. */
const options = {
  ...channelOptions,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 500,
  'grpc.max_reconnect_backoff_ms': retryMs,
} satisfies ChannelOptions;

type Method = 'Status' | 'History' | 'Pause' | 'Resume' | 'Checkpoint' | 'Stop' | 'Scale';
type Unary<Reply> = (
  request: object,
  metadata: Metadata,
  options: CallOptions,
  callback: requestCallback<Reply>,
) => unknown;

/** Control of a job by its coordinator's address. */
export class GrpcControl implements ControlClient {
  #stub: Stub;

  /** @throws JobError BAD_OPTION */
  constructor(
    private readonly to: {
      readonly address: string;
      readonly token?: string | undefined;
      readonly tls?: TlsIdentity | undefined;
      /** Time without a response after which `watch` gives up. */
      readonly waitMs?: number | undefined;
    },
  ) {
    parseEndpoint(to.address, '--coordinator');
    this.#stub = this.#newStub();
  }

  status(): Promise<StatusReply> {
    return this.#call<StatusReply>('Status', {}, readLimitMs);
  }
  history(points: number): Promise<HistoryReply> {
    return this.#call<HistoryReply>('History', { points }, readLimitMs);
  }
  pause(): Promise<ControlReply> {
    return this.#call<ControlReply>('Pause', {}, boundaryLimitMs);
  }
  resume(): Promise<ControlReply> {
    return this.#call<ControlReply>('Resume', {}, boundaryLimitMs);
  }
  checkpoint(): Promise<ControlReply> {
    return this.#call<ControlReply>('Checkpoint', {}, boundaryLimitMs);
  }
  stop(): Promise<ControlReply> {
    return this.#call<ControlReply>('Stop', {}, boundaryLimitMs);
  }
  scale(workers: number): Promise<ControlReply> {
    return this.#call<ControlReply>('Scale', { workers }, boundaryLimitMs);
  }

  async watch(listener: WatchListener, signal: AbortSignal): Promise<void> {
    const { address, waitMs = Infinity } = this.to;
    let heardMs = performance.now();
    const heard = (status: StatusReply) => {
      heardMs = performance.now();
      listener.status(status);
    };
    while (!signal.aborted) {
      const failure = await this.#follow(heard, signal);
      if (failure === undefined || signal.aborted) return;
      const silentMs = performance.now() - heardMs;
      if (!failure.retryable || silentMs > waitMs) throw failure;
      listener.away(`no response from ${address} for ${Math.round(silentMs / 1000)} s (${failure.message}); retrying`);
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
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

  /** Follows one stream to its end. @returns undefined when the run is over, otherwise the error that ended the stream. */
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
      // The cancelled call may still report an error.
      stream.on('error', () => undefined);
    }
  }

  #call<Reply>(method: Method, request: object, limitMs: number): Promise<Reply> {
    const { address, token } = this.to;
    const call = (this.#stub[method] as Unary<Reply>).bind(this.#stub);
    return new Promise<Reply>((resolve, reject) => {
      call(request, callMetadata(token), { deadline: Date.now() + limitMs }, (error, reply) => {
        if (!error && reply !== undefined) return resolve(reply);
        const operation = method.toLowerCase();
        const failure = fromServiceError(error!, operation);
        void this.#diagnosed(failure, operation).then((reason) => reject(explain(reason, address)));
      });
    });
  }

  /** Replaces an error by the TLS problem behind it, which gRPC doesn't report. */
  async #diagnosed(error: ClusterError, operation: string): Promise<ClusterError> {
    if (error.code !== 'UNREACHABLE') return error;
    return (await diagnoseTls(operation, this.to.address, this.to.tls)) ?? error;
  }
}

/** Adds what to check when the coordinator is unreachable. */
function explain(error: ClusterError, address: string): ClusterError {
  if (error.code !== 'UNREACHABLE') return error;
  const [operation = 'control'] = error.message.split(':', 1);
  const message = `${operation}: expected a coordinator at ${address}, got no response; has its job ended? (${error.message})`;
  return new ClusterError('UNREACHABLE', message, { cause: error });
}
