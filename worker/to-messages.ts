import type { ShardReport, ShardSpan } from '../proto/messages.js';
import type { ShardResult } from './shard-computer.js';

/** What the engine thread's results look like in messages. */

export function toReport({ shard, samples, lossSum, correct, statistics, computeMs }: ShardResult): ShardReport {
  return { shard, samples, lossSum, correct, statistics: bytesOf(statistics), computeMs };
}

export function toSpan({ shard, beginMs, computeMs }: ShardResult): ShardSpan {
  return { shard, beginMs, endMs: beginMs + computeMs };
}

export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
