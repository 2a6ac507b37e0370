import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/** Bytes accepted per turn from all connections together, and the time between turns: 4.8 MB per second. */
const turnBytes = 96 * 1024;
const turnMs = 20;
const chunkBytes = 16 * 1024;

/** Bytes that one connection may receive in a burst, and per second: enough for a status of 1,024 workers each second. */
const burstBytes = 1024 * 1024;
const bytesPerSecond = 256 * 1024;

/**
 * Forwards data from any number of connections in turn, a bounded amount per turn.
 *
 * A peer can send frames of a few bytes that cost far more to handle than to send. The bound applies below TLS and
 * HTTP/2, so it covers frames of every protocol.
 */
export class Pump {
  readonly #ready = new Set<GatedSocket>();
  #lastMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  /** Schedules a socket. @param socket - has data that its reader wants. */
  add(socket: GatedSocket): void {
    this.#ready.add(socket);
    this.#timer ??= setTimeout(() => this.#turn(), Math.max(0, this.#lastMs + turnMs - performance.now()));
  }

  #turn(): void {
    this.#lastMs = performance.now();
    let bytes = 0;
    for (const socket of this.#ready) {
      if (bytes >= turnBytes) break;
      this.#ready.delete(socket);
      bytes += socket.forward();
      if (socket.hasMore) this.#ready.add(socket);
    }
    this.#timer = undefined;
    for (const socket of this.#ready) return this.add(socket);
  }
}

/**
 * A connection whose reader gets data at the pump's pace. It ends if its peer exceeds the limits.
 *
 * It ends without an `error` event, because the stream that Node.js puts between it and TLS would throw that error
 * uncatchably. `failure` has the reason.
 */
export class GatedSocket extends Duplex {
  /** Reason for the end, if caused by the network or the limit. */
  failure: Error | undefined;
  #wanted = false;
  #budget = burstBytes;
  #budgetMs = performance.now();

  constructor(
    private readonly socket: Socket,
    private readonly pump: Pump,
  ) {
    super();
    socket.on('readable', () => this.#offer());
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.destroy());
  }

  get hasMore(): boolean {
    return this.#wanted && !this.destroyed && this.socket.readableLength > 0;
  }

  /** Passes one chunk to the reader; called by the pump. @returns its bytes. */
  forward(): number {
    if (!this.hasMore) return 0;
    const chunk = this.socket.read(Math.min(this.socket.readableLength, chunkBytes)) as Buffer | null;
    if (chunk === null) return 0;
    if (this.#spend(chunk.length)) this.#wanted = this.push(chunk);
    else this.#fail(new Error(`expected at most ${bytesPerSecond} bytes per second, got more`));
    return chunk.length;
  }

  override _read(): void {
    this.#wanted = true;
    this.#offer();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // A failed write is reported by the socket's `error` event.
    this.socket.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.socket.destroy();
    done(error);
  }

  #fail(error: Error): void {
    this.failure ??= error;
    this.destroy();
  }

  #offer(): void {
    if (this.hasMore) this.pump.add(this);
  }

  #spend(bytes: number): boolean {
    const nowMs = performance.now();
    const refill = ((nowMs - this.#budgetMs) / 1000) * bytesPerSecond;
    this.#budget = Math.min(burstBytes, this.#budget + refill) - bytes;
    this.#budgetMs = nowMs;
    return this.#budget >= 0;
  }
}
