import { once } from 'node:events';
import type { ChannelOptions, Metadata, ServiceError } from '@grpc/grpc-js';
import { callMetadata } from '../../../proto/auth.js';
import { ClusterError, fromServiceError } from '../../../proto/errors.js';
import { limitConnecting } from '../../../proto/liveness.js';
import type { TlsIdentity } from '../../../proto/identity.js';
import type { StatusReply } from '../../../proto/messages.js';
import { Control, type ControlClient } from '../../../proto/services.js';
import { channelSecurity } from '../../../proto/tls.js';
import { diagnoseTls } from '../../../proto/tls-diagnosis.js';
import type { JobIdentity } from './secrets.js';

/** A status comes once per second; a coordinator from which none comes for as long does not answer. */
const silentMs = 10_000;
/** Small windows and buffers: hundreds of channels are open, and a status is a few hundred bytes. */
const options = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.enable_retries': 0,
  'grpc.enable_channelz': 0,
  'grpc.use_local_subchannel_pool': 1,
} satisfies ChannelOptions;

/** The control service of one coordinator's pod. */
export class CoordinatorChannel {
  readonly #client: ControlClient;
  readonly #metadata: Metadata;
  readonly #tls: TlsIdentity;

  /** @param address - the pod's own, which its certificate does not name; it names `serverName`. */
  constructor(
    private readonly address: string,
    serverName: string,
    { token, ...tls }: JobIdentity,
  ) {
    this.#tls = { ...tls, serverName };
    const security = channelSecurity(this.#tls, address);
    this.#client = new Control(address, security.credentials, { ...options, ...security.options });
    this.#metadata = callMetadata(token);
  }

  /**
   * Follows the run to its end.
   * @returns once the coordinator has ended the stream. @throws ClusterError when it broke or nothing came.
   */
  async watch(onStatus: (status: StatusReply) => void, signal: AbortSignal): Promise<void> {
    const operation = `watch ${this.address}`;
    const stream = this.#client.Watch({}, this.#metadata);
    const cancel = () => stream.cancel();
    const watchdog = setTimeout(cancel, silentMs);
    const connecting = limitConnecting(this.#client, operation, cancel);
    signal.addEventListener('abort', cancel);
    stream.on('data', (status: StatusReply) => {
      watchdog.refresh();
      onStatus(status);
    });
    try {
      await once(stream, 'end');
    } catch (error) {
      const failure = fromServiceError(error as ServiceError, operation);
      throw signal.aborted ? failure : await this.#diagnosed(failure, operation);
    } finally {
      clearTimeout(watchdog);
      clearTimeout(connecting);
      signal.removeEventListener('abort', cancel);
      // What the cancelled call still has to say.
      stream.on('error', () => undefined);
    }
  }

  /** Tells a wrong certificate from a coordinator that is away: gRPC reports both as unreachable. */
  async #diagnosed(error: ClusterError, operation: string): Promise<ClusterError> {
    if (error.code !== 'UNREACHABLE') return error;
    return (await diagnoseTls(operation, this.address, this.#tls)) ?? error;
  }

  /** Asks for a checkpoint. @throws ClusterError when there is no answer within `limitMs`. */
  checkpoint(limitMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#client.Checkpoint({}, this.#metadata, { deadline: Date.now() + limitMs }, (error) => {
        if (error) reject(fromServiceError(error, 'checkpoint'));
        else resolve();
      });
    });
  }

  close(): void {
    this.#client.close();
  }
}

/** Whether the coordinator has refused the operator's certificate or token, or the operator the coordinator's. */
export function isUntrusted(error: unknown): boolean {
  return error instanceof ClusterError && (error.code === 'UNAUTHENTICATED' || error.code === 'UNTRUSTED');
}
