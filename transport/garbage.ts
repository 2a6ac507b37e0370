import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Vectors of so many bytes may lie about as garbage; what gRPC makes of them is three times as much. */
const allowance = 8 * 1024 * 1024;

type Collect = (options: { type: 'minor' }) => void;

/**
 * Frees what a step's messages leave behind while nobody waits for this thread.
 *
 * V8 by itself notices too late, when the messages' buffers have grown old, and then goes through all memory every few
 * steps, which costs a coordinator more than all its arithmetic (docs/benchmarks.md).
 */
export class MessageGarbage {
  #bytes = 0;

  /** @param collect - V8's own, unless a test says otherwise. */
  constructor(private readonly collect: Collect = youngCollection) {}

  /** Takes note of vectors of so many bytes; call it when the next thing to do is to wait. */
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

/** V8 shows its collector to contexts that are made after it was told to; no flag of Node.js is needed. */
function exposeCollector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
