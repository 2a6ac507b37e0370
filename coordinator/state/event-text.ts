import type { RunEvent } from './events.js';
import { formatCount, formatScore } from '../../run/report/format.js';
import type { EventTone } from './feed.js';

/** Text of an event for page and terminal; undefined for events of every step. */
export function describeEvent(event: RunEvent): { readonly tone: EventTone; readonly text: string } | undefined {
  const tone = toneOf(event);
  const text = textOf(event);
  return text === undefined ? undefined : { tone, text };
}

function toneOf(event: RunEvent): EventTone {
  if (event.type === 'fault' || (event.type === 'state' && event.state === 'failed')) return 'bad';
  if (event.type === 'skipped' || (event.type === 'worker' && event.change === 'lost')) return 'warning';
  if (event.type === 'speculation' || (event.type === 'state' && event.state === 'waiting')) return 'warning';
  return event.type === 'evaluation' || (event.type === 'state' && event.state === 'finished') ? 'good' : 'plain';
}

function textOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'step':
    case 'timing':
    case 'waiting':
      return undefined;
    case 'listening':
      return `listening on ${event.address}`;
    case 'note':
      return event.message;
    case 'state':
      return `${event.state}: ${event.reason}`;
    case 'worker':
      return `worker ${event.workerId} ${event.change}${event.reason === '' ? '' : `: ${event.reason}`}`;
    case 'assignment':
      return `shards reassigned (generation ${event.generation}): ${event.reason && `${event.reason}; `}${describeShards(event.shards)}`;
    case 'speculation':
      return `step ${formatCount(event.step)}: ${event.from} is slow on ${shards(event.shards)}; ${event.to} is computing ${event.shards.length === 1 ? 'it' : 'them'} as backup`;
    case 'fault':
      return `NUMERICS FAULT: results of ${event.workers.join(' and ')} differ for ${shards(event.shards)} of step ${formatCount(event.step)}`;
    case 'skipped':
      return `skipped: ${event.reason}`;
    case 'epoch':
      return `epoch ${event.epoch} complete: digest ${event.digest.slice(0, 16)}`;
    case 'evaluation':
      return `epoch ${event.record.epoch} evaluated: average loss ${event.record.loss.toFixed(4)}, ${formatScore(event.record)}`;
    case 'checkpoint':
      return `checkpoint after step ${formatCount(event.step)}, in ${formatCount(event.durationMs)} ms`;
    default:
      return event satisfies never;
  }
}

function describeShards(byWorker: Readonly<Record<string, readonly number[]>>): string {
  const workers = Object.entries(byWorker).map(([worker, held]) => `${worker} ${ranges(held) || 'on standby'}`);
  return workers.join(', ') || 'no workers';
}

function shards(list: readonly number[]): string {
  return `shard${list.length === 1 ? '' : 's'} ${ranges(list)}`;
}

/** `0, 1, 2, 4` → `0–2, 4` */
export function ranges(numbers: readonly number[]): string {
  const found: [first: number, last: number][] = [];
  for (const value of [...numbers].sort((a, b) => a - b)) {
    const last = found.at(-1);
    if (last && value === last[1] + 1) last[1] = value;
    else found.push([value, value]);
  }
  return found.map(([first, last]) => (first === last ? String(first) : `${first}–${last}`)).join(', ');
}
