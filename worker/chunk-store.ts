import { createHash } from 'node:crypto';
import type { ServiceError } from '@grpc/grpc-js';
import type { ChunkRef } from '../job/manifest.js';
import { callMetadata } from '../transport/auth.js';
import { ClusterError, fromServiceError } from '../proto/errors.js';
import type { TlsIdentity } from '../transport/tls-identity.js';
import { limitConnecting } from '../transport/liveness.js';
import type { DataChunk } from '../proto/messages.js';
import { channelOptions, Data, type DataClient } from '../transport/services.js';
import { copyShared } from '../util/shared-copy.js';
import { channelSecurity } from '../transport/tls.js';

/** A dataset chunk that this worker must hold. */
export interface WantedChunk {
  readonly set: 'shard' | 'evaluation';
  readonly index: number;
  readonly chunk: ChunkRef;
}

/** Longest time without a byte before a transfer is abandoned. */
const stallMs = 20_000;

export interface ChunkStoreOptions {
  /** `HOST:PORT` of the coordinator. */
  readonly address: string;
  readonly token?: string | undefined;
  readonly tls?: TlsIdentity | undefined;
  /** Bytes of one sample: label and pixels. */
  readonly sampleBytes: number;
  /** Chunks already held, by digest; fetched ones are added. Outlives the session. */
  readonly held: Map<string, SharedArrayBuffer>;
  readonly onChunk: (wanted: WantedChunk, bytes: SharedArrayBuffer) => void;
  readonly onError: (error: ClusterError) => void;
}

/**
 * Fetches dataset chunks one at a time, in the given order, on a separate channel. Chunks are kept by content, so
 * each is transferred once, however often its shard is reassigned.
 */
export class ChunkStore {
  readonly #client: DataClient;
  #wanted: readonly WantedChunk[] = [];
  #call: { cancel(): void } | undefined;
  #fetching = false;
  #closed = false;
  /** Set with the first request, as the channel connects with its first call. */
  #connecting: NodeJS.Timeout | undefined;

  constructor(private readonly options: ChunkStoreOptions) {
    const security = channelSecurity(options.tls, options.address);
    this.#client = new Data(options.address, security.credentials, {
      ...channelOptions,
      ...security.options,
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  get isFetching(): boolean {
    return this.#fetching;
  }

  /** Replaces the list of chunks to hold; chunks already held are reported at once. */
  want(chunks: readonly WantedChunk[]): void {
    this.#wanted = chunks;
    if (!this.#fetching) void this.#fetchWanted();
  }

  /** Cancels the transfer in progress, without an error. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#connecting);
    this.#call?.cancel();
    this.#client.close();
  }

  async #fetchWanted(): Promise<void> {
    this.#fetching = true;
    const given = new Set<string>();
    const key = ({ set, index }: WantedChunk) => `${set} ${index}`;
    try {
      for (;;) {
        const next = this.#wanted.find((wanted) => !given.has(key(wanted)));
        if (!next || this.#closed) return;
        const bytes = this.options.held.get(next.chunk.digest) ?? (await this.#fetch(next.chunk));
        this.options.held.set(next.chunk.digest, bytes);
        given.add(key(next));
        this.options.onChunk(next, bytes);
      }
    } catch (error) {
      if (!this.#closed) this.options.onError(error as ClusterError);
    } finally {
      this.#fetching = false;
    }
  }

  #fetch({ digest, count }: ChunkRef): Promise<SharedArrayBuffer> {
    const expected = count * this.options.sampleBytes;
    const bytes = new SharedArrayBuffer(expected);
    const target = new Uint8Array(bytes);
    const hash = createHash('sha256');
    return new Promise((resolve, reject) => {
      const call = this.#client.Fetch({ digest }, callMetadata(this.options.token));
      this.#connecting ??= limitConnecting(this.#client, `fetch from ${this.options.address}`, this.options.onError);
      this.#call = call;
      let received = 0;
      const fail = (found: string) => {
        const wanted = `${expected} bytes with SHA-256 ${digest}`;
        reject(
          new ClusterError('BAD_CHUNK', `fetch: expected ${wanted}, got ${found}; the chunk will be fetched again`),
        );
        call.cancel();
      };
      const stall = setTimeout(() => fail(`nothing for ${stallMs / 1000} s after ${received} bytes`), stallMs);
      call.on('data', ({ data }: DataChunk) => {
        stall.refresh();
        if (received + data.byteLength > expected) return fail(`more than ${expected} bytes`);
        hash.update(data);
        copyShared(data, target, received);
        received += data.byteLength;
      });
      call.on('end', () => {
        clearTimeout(stall);
        const found = hash.digest('hex');
        if (received === expected && found === digest) resolve(bytes);
        else fail(`${received} bytes with SHA-256 ${found}`);
      });
      call.on('error', (error: ServiceError) => {
        clearTimeout(stall);
        reject(fromServiceError(error, 'fetch'));
      });
    });
  }
}
