import { epochInProgress } from '../job/plan.js';
import type { RunView } from '../coordinator/state/run-view.js';
import type { RunEvent } from '../coordinator/state/events.js';
import { finite, short } from './messages.js';
import { formatPlural } from '../run/report/format.js';
import type { RegistryEntry } from './payloads.js';

/** Progress of a run, as in its registry entry. */
export type Progress = Pick<
  RegistryEntry,
  'term' | 'state' | 'reason' | 'step' | 'totalSteps' | 'epoch' | 'epochs' | 'loss' | 'accuracy' | 'digest' | 'address'
>;

export const noProgress: Progress = {
  term: 0,
  state: 'starting',
  reason: 'preparing the job',
  step: 0,
  totalSteps: 0,
  epoch: 0,
  epochs: 0,
  loss: null,
  accuracy: null,
  digest: null,
  address: null,
};

/** Progress after an event. */
export function advance(before: Progress, event: RunEvent): Progress {
  switch (event.type) {
    case 'listening':
      return { ...before, address: event.address };
    case 'state':
      return { ...before, state: event.state, reason: short(event.reason) };
    case 'step': {
      const { step, epoch, loss } = event.record;
      return { ...before, step: step + 1, epoch, loss: finite(loss) };
    }
    case 'skipped':
      return { ...before, step: event.step + 1 };
    case 'epoch':
      return { ...before, digest: event.digest };
    case 'evaluation':
      return { ...before, accuracy: event.record.correct / event.record.total };
    default:
      return before;
  }
}

/** Progress when the job is prepared, including that of earlier starts. */
export function resumed(now: Progress, { term, plan, history }: Pick<RunView, 'term' | 'plan' | 'history'>): Progress {
  const { curves, evaluation: test, digest } = history;
  const { steps: step, last } = curves;
  return {
    ...now,
    term,
    step,
    totalSteps: plan.totalSteps,
    epoch: epochInProgress(plan, step),
    epochs: plan.epochs,
    loss: last ? finite(last.loss) : null,
    accuracy: test ? test.correct / test.total : null,
    digest: digest?.digest ?? null,
  };
}

/** Data that hasn't been delivered yet. */
export interface Left {
  readonly events: number;
  readonly files: boolean;
}

const deliveryLimits = { awayMs: 2_000, eventsMs: 5_000, filesMs: 30_000 } as const;

/** Decides if a run that has ended waits longer for undelivered data. */
export function keepDelivering({
  events,
  files,
  waitedMs,
  isOpen,
}: Left & { readonly waitedMs: number; readonly isOpen: boolean }): boolean {
  if (events === 0 && !files) return false;
  const { awayMs, eventsMs, filesMs } = deliveryLimits;
  if (!isOpen) return waitedMs < awayMs;
  return waitedMs < (events > 0 ? eventsMs : filesMs);
}

/** Undelivered data in words; undefined if there is none. */
export function describeLeft({ events, files }: Left): string | undefined {
  const parts = [
    events > 0 && `${formatPlural(events, 'event')}`,
    files && 'the last state of the run directory',
  ].filter(Boolean);
  return parts.length === 0 ? undefined : parts.join(' and ');
}
