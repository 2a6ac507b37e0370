/** Length of a message's header: compression flag and message length. */
const headBytes = 5;

/** A gRPC message without fields, including its header. */
export const emptyMessage = Buffer.alloc(headBytes);

/** Extracts messages of at most `maxBytes` from a gRPC stream. */
export class GrpcFrames {
  readonly #head = Buffer.alloc(headBytes);
  #headRead = 0;
  #message: Buffer | undefined;
  #messageRead = 0;

  constructor(private readonly maxBytes: number) {}

  /**
   * Calls `onMessage` with each message that `chunk` completes.
   * @throws Error if a message is too long, or compressed although compression wasn't offered.
   */
  read(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#message === undefined) at += this.#readHead(chunk, at);
      else {
        const copied = chunk.copy(this.#message, this.#messageRead, at);
        this.#messageRead += copied;
        at += copied;
      }
      const message = this.#message;
      if (message === undefined || this.#messageRead < message.length) continue;
      this.#message = undefined;
      this.#headRead = 0;
      onMessage(message);
    }
  }

  /** @returns bytes that belong to the head. */
  #readHead(chunk: Buffer, at: number): number {
    const copied = chunk.copy(this.#head, this.#headRead, at);
    this.#headRead += copied;
    if (this.#headRead === headBytes) {
      this.#message = Buffer.allocUnsafeSlow(this.#checkHead());
      this.#messageRead = 0;
    }
    return copied;
  }

  #checkHead(): number {
    if (this.#head[0] !== 0) throw new Error('expected an uncompressed message, got a compressed one');
    const length = this.#head.readUInt32BE(1);
    if (length > this.maxBytes) throw new Error(`expected a message of at most ${this.maxBytes} bytes, got ${length}`);
    return length;
  }
}
