import type { Condition, ConditionType, State } from '../resource/status.js';
import { conditionTypes } from '../resource/status.js';
import type { Outcome } from './state.js';
import { timeText } from './time.js';

export interface ConditionInput {
  readonly state: State;
  /** Human-readable reason for the state. */
  readonly message: string;
  readonly outcome: Outcome | undefined;
  /** True once a coordinator's pod has existed. */
  readonly initialized: boolean;
  readonly generation: number | undefined;
}

/** Value of a condition; `reason` is one CamelCase word, as the API requires. */
interface Judged {
  readonly is: boolean;
  readonly reason: string;
  readonly message: string;
}

/** Decides all six conditions. False ones are included, because `kubectl wait` needs them. */
export function decideConditions(before: readonly Condition[], input: ConditionInput, nowMs: number): Condition[] {
  return conditionTypes.map((type) => {
    const { is, reason, message } = judge(type, input);
    const status = is ? 'True' : 'False';
    const last = before.find((condition) => condition.type === type);
    const lastTransitionTime = last?.status === status ? last.lastTransitionTime : timeText(nowMs);
    const observed = input.generation === undefined ? {} : { observedGeneration: input.generation };
    return { type, status, reason, message, lastTransitionTime, ...observed };
  });
}

function judge(type: ConditionType, input: ConditionInput): Judged {
  const { state, message, outcome, initialized } = input;
  switch (type) {
    case 'Initialized':
      return initialized
        ? { is: true, reason: 'CoordinatorCreated', message: 'all objects of the job were created' }
        : { is: false, reason: state, message };
    case 'Running':
      return { is: state === 'Running', reason: state === 'Running' ? 'Training' : state, message };
    case 'Suspended':
      return state === 'Suspended' || state === 'Suspending'
        ? { is: state === 'Suspended', reason: state, message }
        : { is: false, reason: 'NotSuspended', message: 'spec.suspend is false' };
    case 'WaitingForWorkers':
      return state === 'WaitingForWorkers'
        ? { is: true, reason: 'TooFewWorkers', message }
        : { is: false, reason: state === 'Running' ? 'EnoughWorkers' : state, message };
    case 'Succeeded':
    case 'Failed':
      return outcome?.type === type
        ? { is: true, reason: outcome.reason, message: outcome.message }
        : { is: false, reason: outcome === undefined ? 'NotFinished' : outcome.type, message };
    default:
      return type satisfies never;
  }
}
