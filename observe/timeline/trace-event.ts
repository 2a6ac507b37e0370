/** One event of the Chrome trace event format; `ts` and `dur` in microseconds. */
export interface TraceEvent {
  readonly name: string;
  /** X: a span, i: an instant, C: a counter, M: the name of a track. */
  readonly ph: 'X' | 'i' | 'C' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  /** Scope of an instant's line: all tracks. */
  readonly s?: 'g';
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Position of events in the viewer: a process and one of its threads. */
export interface Track {
  readonly pid: number;
  readonly tid: number;
}

type Args = Readonly<Record<string, unknown>>;

/** Creates events from timestamps of one clock. */
export class TimelineClock {
  /** @param zeroMs - the timeline's zero on that clock. */
  constructor(private readonly zeroMs: number) {}

  span(track: Track, name: string, beginMs: number, endMs: number, args?: Args): TraceEvent {
    const ts = Math.max(0, this.#microseconds(beginMs));
    const dur = Math.max(0, tenths(this.#microseconds(endMs) - ts));
    return { name, ph: 'X', ...track, ts, dur, ...(args && { args }) };
  }

  instant(track: Track, name: string, atMs: number, args: Args): TraceEvent {
    return { name, ph: 'i', ...track, ts: this.#microseconds(atMs), s: 'g', args };
  }

  counter(pid: number, name: string, atMs: number, value: number): TraceEvent {
    return { name, ph: 'C', pid, tid: 0, ts: this.#microseconds(atMs), args: { [name]: value } };
  }

  #microseconds(ms: number): number {
    return tenths((ms - this.zeroMs) * 1e3);
  }
}

/** Names a process, and its threads from 1 on. Processes are drawn in the order of their ids. */
export function names(pid: number, process: string, threads: readonly string[]): TraceEvent[] {
  const about = (name: string, tid: number, args: Args): TraceEvent => ({ name, ph: 'M', pid, tid, args });
  return [
    about('process_name', 0, { name: process }),
    about('process_sort_index', 0, { sort_index: pid }),
    ...threads.map((name, i) => about('thread_name', i + 1, { name })),
  ];
}

/** Rounds to tenths of a microsecond, which is finer than any stamp. */
function tenths(microseconds: number): number {
  return Math.round(microseconds * 10) / 10;
}
