import type { RunEvent } from '../coordinator/state/events.js';
import type { SummedSteps } from '../coordinator/state/step-sum.js';
import { type About, maxText } from './payloads.js';

/** A message of the event stream. */
export interface EventMessage extends About {
  /** Number of the event among this owner's, from 1, without gaps. */
  sequence: number;
  /** Time of the event by the coordinator's clock, ISO 8601. */
  at: string;
  type: Occurrence['type'];
  data: Occurrence['data'];
}

/** An event to publish, without the fields that all events of a run share. */
export type Occurrence =
  | NonNullable<ReturnType<typeof describeEvent>>
  /** Number of events that were dropped before this one because NATS was unreachable for too long. */
  | { readonly type: 'gap'; readonly data: { readonly lost: number; readonly reason: string }; readonly key?: string };

/**
 * Types of events that the run's state determines. A resumed run that repeats a step makes the same ones again. Their
 * keys keep them from being published twice.
 */
export const determinedTypes = ['epoch', 'evaluation', 'checkpoint', 'skipped', 'finished'] as const;

/** Progress of the run, for the events that end it. */
interface Progress {
  readonly step: number;
  readonly digest: string | null;
}

/** Published form of a run's event; undefined for events that aren't published. Metrics cover the steps. */
export function describeEvent(event: RunEvent, progress: Progress) {
  switch (event.type) {
    case 'step':
    case 'timing':
      return undefined;
    case 'listening':
      return occurrence('listening', { address: event.address });
    case 'state':
      return describeState(event, progress);
    case 'worker':
      return occurrence(event.change, { workerId: event.workerId, reason: short(event.reason) });
    case 'assignment': {
      const { generation, shards, reason } = event;
      return occurrence('reassigned', { generation, shards, reason: short(reason) });
    }
    case 'waiting': {
      const { step, seconds, reason } = event;
      return occurrence('waiting', { step, seconds, reason: short(reason) });
    }
    case 'speculation': {
      const { step, shards, from, to } = event;
      return occurrence('speculation', { step, shards, from, to });
    }
    case 'fault': {
      const { kind, workers, shards, step } = event;
      return occurrence('fault', { kind, workers, shards, step });
    }
    case 'skipped': {
      const { step, reason } = event;
      return determined('skipped', step, { step, reason: short(reason) });
    }
    case 'epoch': {
      const { epoch, step, digest } = event;
      return determined('epoch', epoch, { epoch, step, digest });
    }
    case 'evaluation': {
      const { step, epoch, loss, correct, total, confusion } = event.record;
      const { durationMs } = event;
      return determined('evaluation', step, { step, epoch, loss: finite(loss), correct, total, confusion, durationMs });
    }
    case 'checkpoint': {
      const { step, durationMs, blockedMs } = event;
      return determined('checkpoint', step, { step, durationMs, blockedMs });
    }
    case 'note':
      return occurrence('note', { message: short(event.message) });
  }
  event satisfies never;
}

function describeState({ state, reason }: Extract<RunEvent, { type: 'state' }>, { step, digest }: Progress) {
  const ending = { reason: short(reason), step, digest };
  if (state === 'finished') return determined('finished', undefined, ending);
  if (state === 'stopped' || state === 'failed') return occurrence(state, ending);
  return occurrence('state', { state, reason: short(reason) });
}

interface Described<Type, Data> {
  readonly type: Type;
  readonly data: Data;
  /** Distinguishes the events of `determinedTypes` in a run. */
  readonly key?: string;
}

function occurrence<Type extends string, Data extends object>(type: Type, data: Data): Described<Type, Data> {
  return { type, data };
}

/** @param index - distinguishes the events of this type in a run; undefined if there is only one. */
function determined<Type extends (typeof determinedTypes)[number], Data extends object>(
  type: Type,
  index: number | undefined,
  data: Data,
): Described<Type, Data> {
  return { type, data, key: index === undefined ? type : `${type}.${index}` };
}

/** Summary of the steps since the previous message; published at most twice per second. */
export interface MetricsMessage extends About {
  at: string;
  /** Committed updates. */
  step: number;
  epoch: number;
  /** Number of steps in this summary. */
  steps: number;
  /** Training loss, as the mean over samples; null if it isn't finite. */
  loss: number | null;
  /** Training accuracy, 0 to 1. */
  accuracy: number;
  learningRate: number;
  imagesPerSecond: number;
  stepMs: { mean: number; max: number };
  workers: number;
}

export function describeSteps(summed: SummedSteps): Omit<MetricsMessage, keyof About | 'at'> {
  const { last, steps, loss, accuracy, imagesPerSecond, durationMs, maxMs } = summed;
  const { epoch, learningRate, workers } = last;
  const stepMs = { mean: durationMs / steps, max: maxMs };
  const means = { loss: finite(loss), accuracy, learningRate, imagesPerSecond, stepMs };
  return { step: last.step + 1, epoch, steps, ...means, workers };
}

/** JSON has no NaN and no infinity. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export function short(text: string): string {
  return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
}
