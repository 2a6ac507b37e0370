import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes of vectors that may accumulate as garbage; with gRPC's copies it is three times as much. */
const allowance = 8 * 1024 * 1024;

type Collect = (options: { type: 'minor' }) => void;

/**
 * Frees the memory of a step's messages while no one waits for this thread.
 *
 * V8's own schedule collects too late, when the messages' buffers have moved to the old generation. It then scans all
 * memory every few steps, which costs a coordinator more than all its arithmetic (docs/decisions/0014-collector-hints.md).
 */
export class MessageGarbage {
  #bytes = 0;

  /** @param collect - V8's collector, except in tests. */
  constructor(private readonly collect: Collect = youngCollection) {}

  /** Counts vectors of so many bytes. Call it before waiting. */
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

/** Contexts created after the flag is set expose V8's collector, so Node.js needs no flag. */
function exposeCollector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
