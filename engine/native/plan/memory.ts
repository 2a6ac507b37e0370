import type { Space } from './opcodes.js';
import type { Access, Buffer } from './plan-op.js';

/** Place of an operation in the schedule: phase, job in it, and position in the job. */
interface Time {
  readonly phase: number;
  readonly job: number;
  readonly position: number;
  /** True for jobs whose items are images, which have scratch memory. */
  readonly isImages: boolean;
}

/** Accesses of the operations, in order. */
export interface TimedAccess extends Access {
  readonly time: Time;
}

export interface Place {
  readonly space: Space;
  readonly byte: number;
}

/** Places of all buffers by id, and the sizes of the memory that they need, in bytes. */
export interface MemoryPlan {
  readonly places: ReadonlyMap<number, Place>;
  readonly arenaBytes: number;
  readonly scratchBytes: number;
}

const alignment = 64;

/** A buffer to be placed: its size and the first and last time at which its content matters. */
interface Interval {
  readonly id: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/**
 * Assigns memory, so that buffers that are needed at the same time don't overlap. A buffer that one job over images uses
 * item by item is in scratch memory, which holds one image; the others are in the arena for whole phases.
 * @param results - places of buffers in the caller's memory.
 */
export function planMemory(accesses: readonly TimedAccess[], results: ReadonlyMap<number, Place>): MemoryPlan {
  const byBuffer = new Map<number, TimedAccess[]>();
  for (const access of accesses) {
    if (access.buffer.fixed || results.has(access.buffer.id)) continue;
    const known = byBuffer.get(access.buffer.id);
    if (known) known.push(access);
    else byBuffer.set(access.buffer.id, [access]);
  }
  const arena: Interval[] = [];
  const scratch: Interval[][] = [];
  for (const [id, uses] of byBuffer) {
    const { time } = uses[0]!;
    if (isScratch(uses)) {
      const { words } = uses[0]!.buffer;
      const positions = uses.map((use) => use.time.position);
      const job = (scratch[time.phase] ??= []);
      job.push({ id, bytes: words * 4, first: Math.min(...positions), last: Math.max(...positions) });
    } else arena.push(arenaInterval(id, uses));
  }
  const places = new Map<number, Place>(results);
  const arenaBytes = place(arena, 'arena', places);
  const scratchBytes = Math.max(0, ...Object.values(scratch).map((job) => place(job, 'scratch', places)));
  return { places, arenaBytes, scratchBytes };
}

function isScratch(uses: readonly TimedAccess[]): boolean {
  const [first] = uses as [TimedAccess];
  const { phase, job, isImages } = first.time;
  return (
    isImages &&
    uses.every(({ time, by, buffer }) => {
      return time.phase === phase && time.job === job && by === 'item' && buffer.items === first.buffer.items;
    })
  );
}

function arenaInterval(id: number, uses: readonly TimedAccess[]): Interval {
  const phases = uses.map(({ time }) => time.phase);
  const sizes = uses.map(({ buffer }) => buffer.words * buffer.items);
  const bytes = Math.max(...sizes) * 4;
  return { id, bytes, first: Math.min(...phases), last: Math.max(...phases) };
}

/** An interval and its first byte. */
interface Placed {
  readonly interval: Interval;
  readonly byte: number;
}

/** Places the largest intervals first, each at the lowest address that is free for its time. @returns bytes needed. */
function place(intervals: readonly Interval[], space: Space, places: Map<number, Place>): number {
  /** By address. */
  const placed: Placed[] = [];
  const ordered = [...intervals].sort((a, b) => b.bytes - a.bytes || a.id - b.id);
  let total = 0;
  for (const interval of ordered) {
    const byte = lowestFree(placed, interval);
    const next = placed.findIndex((other) => other.byte > byte);
    placed.splice(next < 0 ? placed.length : next, 0, { interval, byte });
    places.set(interval.id, { space, byte });
    total = Math.max(total, align(byte + interval.bytes));
  }
  return total;
}

function lowestFree(placed: readonly Placed[], { first, last, bytes }: Interval): number {
  let byte = 0;
  for (const other of placed) {
    if (other.interval.first > last || first > other.interval.last) continue;
    if (other.byte >= byte + bytes) break;
    byte = Math.max(byte, align(other.byte + other.interval.bytes));
  }
  return byte;
}

function align(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** Place of a buffer, and words from one of its items to the next. */
export function placeOf({ places }: MemoryPlan, buffer: Buffer): Place & { readonly stride: number } {
  const place = buffer.fixed ?? places.get(buffer.id)!;
  return { ...place, stride: buffer.items > 1 && place.space !== 'scratch' ? buffer.words : 0 };
}
