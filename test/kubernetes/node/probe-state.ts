import type { V1Probe } from '@kubernetes/client-node';

/** Verdict from a probe's answers. */
export interface ProbeState {
  readonly passes: number;
  readonly failures: number;
  /** Undefined until a threshold is reached. */
  readonly verdict: 'passed' | 'failed' | undefined;
}

export const unprobed: ProbeState = { passes: 0, failures: 0, verdict: undefined };

/** Counts one answer; the verdict changes once `successThreshold` or `failureThreshold` answers in a row agree. */
export function foldProbe(state: ProbeState, passed: boolean, probe: V1Probe): ProbeState {
  const passes = passed ? state.passes + 1 : 0;
  const failures = passed ? 0 : state.failures + 1;
  if (passes >= (probe.successThreshold ?? 1)) return { passes, failures, verdict: 'passed' };
  if (failures >= (probe.failureThreshold ?? 3)) return { passes, failures, verdict: 'failed' };
  return { passes, failures, verdict: state.verdict };
}
