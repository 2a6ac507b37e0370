import type { OperatorFields } from '../resource/operator-fields.js';
import type { CoordinatorMemory } from '../resource/status.js';
import type { NewEnd } from './memory.js';
import type { Outcome } from './state.js';

export interface OutcomeInput {
  /** What is wrong with the spec. */
  readonly problems: string | undefined;
  readonly fields: Pick<OperatorFields, 'backoffLimit' | 'activeDeadlineSeconds' | 'suspend'> | undefined;
  readonly newEnd: NewEnd | undefined;
  readonly memory: CoordinatorMemory;
  /** Begin of the present activity, milliseconds since 1970. */
  readonly startMs: number;
  /** Where the report is. */
  readonly report: string;
}

/** Whether the job is over with what was seen just now, and how. */
export function decideOutcome(input: OutcomeInput, nowMs: number): Outcome | undefined {
  const { problems, fields, newEnd, report } = input;
  if (newEnd?.end.type === 'succeeded') {
    return { type: 'Succeeded', reason: 'Finished', message: `all epochs are trained; report: ${report}` };
  }
  if (problems !== undefined || fields === undefined) return failed('BadSpec', problems ?? 'spec cannot be read');
  if (newEnd?.end.type === 'wrong') {
    return failed('CoordinatorRefused', `the coordinator refused the job: ${newEnd.end.reason}`);
  }
  return tooManyFailures(input, fields.backoffLimit) ?? deadline(input, nowMs);
}

function tooManyFailures({ newEnd, memory }: OutcomeInput, limit: number): Outcome | undefined {
  if (newEnd?.end.type !== 'failed' || newEnd.wanted || memory.failures <= limit) return undefined;
  const times = memory.failures === 1 ? 'once' : `${memory.failures} times`;
  const message = `the coordinator failed ${times}, more than backoffLimit ${limit} allows; the last time with ${newEnd.end.reason}`;
  return failed('BackoffLimitExceeded', message);
}

function deadline({ fields, startMs }: OutcomeInput, nowMs: number): Outcome | undefined {
  const atMs = deadlineMs(fields, startMs);
  if (atMs === undefined || nowMs < atMs) return undefined;
  return failed('DeadlineExceeded', `active for longer than activeDeadlineSeconds ${fields?.activeDeadlineSeconds}`);
}

/** When the job fails for its length, milliseconds since 1970; undefined when it never does, or not while suspended. */
export function deadlineMs(fields: OutcomeInput['fields'], startMs: number): number | undefined {
  if (fields?.activeDeadlineSeconds === undefined || fields.suspend) return undefined;
  return startMs + 1000 * fields.activeDeadlineSeconds;
}

function failed(reason: string, message: string): Outcome {
  return { type: 'Failed', reason, message: message.slice(0, 2000) };
}
