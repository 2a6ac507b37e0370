import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of vectors that may be garbage before a collection; gRPC's own buffers are three times as much. */
const allowance = 8 * 1024 * 1024;

type Collect = (options: { type: 'minor' }) => void;

/**
 * Collects the garbage of a step's messages while this thread has nothing else to do.
 *
 * V8 by itself notices only when the messages' buffers are in its old generation. It then collects all memory every few
 * steps, which costs a coordinator more than all its arithmetic (docs/decisions/0014-collector-hints.md).
 */
export class MessageGarbage {
  #bytes = 0;

  /** @param collect - V8's collector; replaced by tests. */
  constructor(private readonly collect: Collect = youngCollection) {}

  /** Counts the bytes of vectors in messages. Call it when the thread is about to wait. */
  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < allowance) return;
    this.#bytes = 0;
    setImmediate(() => this.collect({ type: 'minor' }));
  }
}

let collector: Collect | undefined;

function youngCollection(options: { type: 'minor' }): void {
  collector ??= exposeCollector();
  collector(options);
}

/** V8 exposes its collector to contexts created after the flag is set; no flag of Node.js is needed. */
function exposeCollector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
