import type { RunEvent } from '../coordinator/state/events.js';
import { type EventData, type EventType, maxText } from './payloads.js';

/** An event as it is published, without what all events of a run have in common. */
export type Occurrence = {
  readonly [Type in EventType]: {
    readonly type: Type;
    readonly data: EventData<Type>;
    /**
     * Set for what the run's state decides: the same in every start that makes the same step again, and then not
     * published a second time.
     */
    readonly key?: string;
  };
}[EventType];

/** Types whose events have a key. */
export const decidedTypes = ['epoch', 'evaluation', 'checkpoint', 'skipped', 'finished'] as const;

/**
 * What is published of an event of the run; nothing of a step, which goes into the metrics.
 * @param at - where the run stands, for the events that end it.
 */
export function describeEvent(
  event: RunEvent,
  at: { readonly step: number; readonly digest: string | null },
): Occurrence | undefined {
  switch (event.type) {
    case 'step':
      return undefined;
    case 'listening':
      return { type: 'listening', data: { address: event.address } };
    case 'state':
      return describeState(event, at);
    case 'worker':
      return { type: event.change, data: { workerId: event.workerId, reason: short(event.reason) } };
    case 'assignment': {
      const shards = Object.fromEntries(Object.entries(event.shards).map(([id, list]) => [id, [...list]]));
      return { type: 'reassigned', data: { generation: event.generation, shards, reason: short(event.reason) } };
    }
    case 'waiting': {
      const { step, seconds, reason } = event;
      return { type: 'waiting', data: { step, seconds, reason: short(reason) } };
    }
    case 'speculation': {
      const { step, shards, from, to } = event;
      return { type: 'speculation', data: { step, shards: [...shards], from, to } };
    }
    case 'fault': {
      const { kind, workers, shards, step } = event;
      return { type: 'fault', data: { kind, workers: [...workers], shards: [...shards], step } };
    }
    case 'skipped': {
      const { step, reason } = event;
      return { type: 'skipped', data: { step, reason: short(reason) }, key: `skipped.${step}` };
    }
    case 'epoch': {
      const { epoch, step, digest } = event;
      return { type: 'epoch', data: { epoch, step, digest }, key: `epoch.${epoch}` };
    }
    case 'evaluation':
      return describeEvaluation(event);
    case 'checkpoint': {
      const { step, durationMs, blockedMs } = event;
      return { type: 'checkpoint', data: { step, durationMs, blockedMs }, key: `checkpoint.${step}` };
    }
    case 'note':
      return { type: 'note', data: { message: short(event.message) } };
  }
}

function describeState(
  { state, reason }: Extract<RunEvent, { type: 'state' }>,
  at: { readonly step: number; readonly digest: string | null },
): Occurrence {
  const ending = { reason: short(reason), step: at.step, digest: at.digest };
  if (state === 'finished') return { type: 'finished', data: ending, key: 'finished' };
  if (state === 'stopped' || state === 'failed') return { type: state, data: ending };
  return { type: 'state', data: { state, reason: short(reason) } };
}

function describeEvaluation({ record, durationMs }: Extract<RunEvent, { type: 'evaluation' }>): Occurrence {
  const { step, epoch, loss, correct, total } = record;
  const confusion = record.confusion.map((row) => [...row]);
  return {
    type: 'evaluation',
    data: { step, epoch, loss: finite(loss), correct, total, confusion, durationMs },
    key: `evaluation.${step}`,
  };
}

/** JSON has no NaN and no infinity. */
export function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export function short(text: string): string {
  return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
}
