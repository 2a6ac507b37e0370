import type { OperatorFields } from '../resource/operator-fields.js';
import type { CoordinatorMemory } from '../resource/status.js';
import type { NewEnd } from './memory.js';
import type { Outcome } from './state.js';

export interface OutcomeInput {
  /** Problems of the spec; undefined if it is valid. */
  readonly problems: string | undefined;
  readonly fields: Pick<OperatorFields, 'backoffLimit' | 'activeDeadlineSeconds' | 'suspend'> | undefined;
  readonly newEnd: NewEnd | undefined;
  readonly memory: CoordinatorMemory;
  /** Start of the current active period, milliseconds since 1970. */
  readonly startMs: number;
  /** Location of the report. */
  readonly report: string;
}

/** Outcome of the job; undefined while it continues. */
export function decideOutcome(input: OutcomeInput, nowMs: number): Outcome | undefined {
  const { problems, fields, newEnd, report } = input;
  if (newEnd?.end.type === 'succeeded') {
    return { type: 'Succeeded', reason: 'Finished', message: `all epochs completed; report: ${report}` };
  }
  if (problems !== undefined || fields === undefined) return failed('BadSpec', problems ?? 'the spec is unreadable');
  if (newEnd?.end.type === 'wrong') {
    return failed('CoordinatorRefused', `the coordinator rejected the job: ${newEnd.end.reason}`);
  }
  return tooManyFailures(input, fields.backoffLimit) ?? deadline(input, nowMs);
}

function tooManyFailures({ newEnd, memory }: OutcomeInput, limit: number): Outcome | undefined {
  if (newEnd?.end.type !== 'failed' || newEnd.wanted || memory.failures <= limit) return undefined;
  const times = memory.failures === 1 ? 'once' : `${memory.failures} times`;
  const message = `the coordinator failed ${times}, more than backoffLimit ${limit} allows; last failure: ${newEnd.end.reason}`;
  return failed('BackoffLimitExceeded', message);
}

function deadline({ fields, startMs }: OutcomeInput, nowMs: number): Outcome | undefined {
  const atMs = deadlineMs(fields, startMs);
  if (atMs === undefined || nowMs < atMs) return undefined;
  return failed('DeadlineExceeded', `active for longer than activeDeadlineSeconds ${fields?.activeDeadlineSeconds}`);
}

/** Deadline of the job, milliseconds since 1970; undefined if it has none or is suspended. */
export function deadlineMs(fields: OutcomeInput['fields'], startMs: number): number | undefined {
  if (fields?.activeDeadlineSeconds === undefined || fields.suspend) return undefined;
  return startMs + 1000 * fields.activeDeadlineSeconds;
}

function failed(reason: string, message: string): Outcome {
  return { type: 'Failed', reason, message: message.slice(0, 2000) };
}
