import type { RunEvent } from '../events.js';
import { formatDuration, formatPlural, formatScore } from '../report/format.js';

/** What a person who looks on wants to read of an event, in one line; undefined for what is shown otherwise. */
export function describeEvent(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'listening':
      return `listening on ${event.address}`;
    case 'state':
      return `${event.state}: ${event.reason}`;
    case 'worker':
      return `worker ${event.workerId} ${event.change}${event.reason === '' ? '' : `: ${event.reason}`}`;
    case 'assignment':
      return `generation ${event.generation}: ${event.reason}`;
    case 'speculation':
      return `shards ${event.shards.join(', ')} of step ${event.step}, late at ${event.from}, computed by ${event.to} too`;
    case 'fault':
      return `NUMERICS FAULT: ${event.workers.join(' and ')} differ in shards ${event.shards.join(', ')} of step ${event.step}`;
    case 'skipped':
      return `left out: ${event.reason}`;
    case 'epoch':
      return `epoch ${event.epoch}: digest ${event.digest.slice(0, 16)}`;
    case 'evaluation': {
      const { epoch, loss } = event.record;
      return `epoch ${epoch}: test loss ${loss.toFixed(4)}, accuracy ${formatScore(event.record)}`;
    }
    case 'checkpoint':
      return `checkpoint after ${formatPlural(event.step, 'step')}, in ${formatDuration(event.durationMs / 1000)}`;
    case 'note':
      return event.message;
    case 'step':
    case 'timing':
    case 'waiting':
      return undefined;
    default:
      return event satisfies never;
  }
}
