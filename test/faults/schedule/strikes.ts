import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import { generatorFor } from '../../../job/random.js';

/** Kinds of clusters: `lockstep train` with its local workers, or `lockstep coordinator` and workers over gRPC. */
export const clusterKinds = ['local', 'grpc'] as const;
export type ClusterKind = (typeof clusterKinds)[number];

/** Moment of a fault: after a start of the cluster, in a step, evaluation or checkpoint, or at the end. */
export type Phase = 'start' | 'training' | 'evaluation' | 'checkpoint' | 'end';

/**
 * - killWorker, endWorker: SIGKILL, SIGTERM for one worker; another takes its place
 * - killAll: SIGKILL for all workers at once
 * - stopWorker, stopCoordinator: SIGSTOP, and SIGCONT after `ms`
 * - sever, hold: the worker's connections are reset, or pass nothing for `ms`
 * - scale: all workers are drained, and others start after `ms`
 * - killCoordinator, endCoordinator: SIGKILL, SIGTERM; it is restarted on its run directory
 */
type StrikeKind =
  | 'killWorker'
  | 'killAll'
  | 'stopWorker'
  | 'endWorker'
  | 'sever'
  | 'hold'
  | 'scale'
  | 'killCoordinator'
  | 'endCoordinator'
  | 'stopCoordinator';

export interface Strike {
  readonly label: string;
  readonly phase: Phase;
  readonly kind: StrikeKind;
  /** Index of the worker as a share of their number: 0 the first, just below 1 the last. */
  readonly victim: number;
  /** Delay after the phase was seen. */
  readonly afterMs: number;
  /** Duration, for faults that have one. */
  readonly ms: number;
}

interface Choice {
  readonly label: string;
  readonly kind: StrikeKind;
  readonly weight: number;
  /** Least and greatest duration, as multiples of the heartbeat limit. */
  readonly lasts?: readonly [number, number];
  readonly only?: ClusterKind;
}

const choices: readonly Choice[] = [
  { label: 'worker killed', kind: 'killWorker', weight: 4 },
  { label: 'all workers killed', kind: 'killAll', weight: 2 },
  { label: 'worker stopped, below the heartbeat limit', kind: 'stopWorker', weight: 2, lasts: [0.1, 0.5] },
  { label: 'worker stopped, beyond the heartbeat limit', kind: 'stopWorker', weight: 2, lasts: [1.3, 2] },
  { label: 'worker told to end', kind: 'endWorker', weight: 2 },
  { label: 'connections reset', kind: 'sever', weight: 2, only: 'grpc' },
  { label: 'cut off in silence', kind: 'hold', weight: 1, lasts: [1.3, 2], only: 'grpc' },
  { label: 'scaled to 0 and back', kind: 'scale', weight: 2, lasts: [0, 0.5] },
  { label: 'coordinator killed', kind: 'killCoordinator', weight: 2 },
  { label: 'coordinator told to end', kind: 'endCoordinator', weight: 1 },
  { label: 'coordinator stopped, below the heartbeat limit', kind: 'stopCoordinator', weight: 1, lasts: [0.1, 0.5] },
  { label: 'coordinator stopped, beyond the heartbeat limit', kind: 'stopCoordinator', weight: 1, lasts: [1.3, 2] },
];

/** Faults that strike in succession, before the cluster has recovered from the first. */
export type Burst = readonly Strike[];

/** Phases of one run's faults, in order; those in the middle come in any order. */
function choosePhases(generator: RandomGenerator, faults: number): Phase[] {
  const middle: readonly Phase[] = ['training', 'training', 'evaluation', 'evaluation', 'checkpoint'];
  const count = Math.max(0, faults - 3);
  const chosen = Array.from({ length: count }, () => middle[uniformInt(generator, 0, middle.length - 1)]!);
  return (['start', 'start', ...chosen, 'end'] as const).slice(0, faults);
}

export interface RunOfFaults {
  readonly seed: number;
  readonly run: number;
  readonly cluster: ClusterKind;
  readonly faults: number;
  readonly heartbeatLimitMs: number;
}

/** The faults of one run; a function of its argument. One in four strikes together with its predecessor. */
export function chooseStrikes({ seed, run, cluster, faults, heartbeatLimitMs }: RunOfFaults): Burst[] {
  const generator = generatorFor('schedule', seed, run);
  const bursts: Strike[][] = [];
  let before: Phase | undefined;
  for (const phase of choosePhases(generator, faults)) {
    const strike = chooseStrike(generator, phase, cluster, heartbeatLimitMs);
    const joins = phase === before && (phase === 'start' || uniformInt(generator, 0, 3) === 0);
    if (joins) bursts.at(-1)!.push(strike);
    else bursts.push([strike]);
    before = phase;
  }
  return bursts;
}

function chooseStrike(generator: RandomGenerator, phase: Phase, cluster: ClusterKind, limitMs: number): Strike {
  const possible = choices.filter(({ only = cluster }) => only === cluster);
  const total = possible.reduce((sum, { weight }) => sum + weight, 0);
  let at = uniformInt(generator, 0, total - 1);
  const { label, kind, lasts = [0, 0] } = possible.find(({ weight }) => (at -= weight) < 0)!;
  const [least, most] = lasts.map((share) => Math.round(share * limitMs)) as [number, number];
  return {
    label,
    phase,
    kind,
    victim: uniformInt(generator, 0, 999) / 1000,
    afterMs: uniformInt(generator, 0, phase === 'start' ? 1_500 : 60),
    ms: uniformInt(generator, least, most),
  };
}
