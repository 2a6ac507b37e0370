import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';
import type { Fault } from './plan.js';

/** A random fault: how often it is chosen, and how it is made. */
interface Choice {
  readonly label: string;
  readonly weight: number;
  readonly make: (generator: RandomGenerator, heartbeatLimitMs: number) => Fault;
}

const between = (generator: RandomGenerator, from: number, to: number) => uniformInt(generator, from, to);

const choices: readonly Choice[] = [
  { label: 'worker killed', weight: 4, make: () => ({ kind: 'kill' }) },
  {
    label: 'worker stopped, shorter than the heartbeat limit',
    weight: 2,
    make: (g, limitMs) => ({ kind: 'stop', ms: between(g, 20, limitMs / 2) }),
  },
  {
    label: 'worker stopped, longer than the heartbeat limit',
    weight: 1,
    make: (g, limitMs) => ({ kind: 'stop', ms: between(g, limitMs * 1.5, limitMs * 2) }),
  },
  { label: 'connections reset', weight: 3, make: () => ({ kind: 'sever' }) },
  {
    label: 'messages delayed',
    weight: 3,
    make: (g, limitMs) => ({ kind: 'hold', ms: between(g, 20, limitMs / 2) }),
  },
  {
    label: 'cut off in silence (black hole)',
    weight: 1,
    make: (g, limitMs) => ({ kind: 'hold', ms: between(g, limitMs * 1.5, limitMs * 2) }),
  },
  { label: 'bit flipped in parameters', weight: 2, make: () => ({ kind: 'corrupt', what: 'parameters' }) },
  { label: 'bit flipped in a partial', weight: 2, make: () => ({ kind: 'corrupt', what: 'partial' }) },
  { label: 'chunk of parameters twice', weight: 1, make: () => ({ kind: 'duplicate', what: 'parameters' }) },
  { label: 'chunk of a partial twice', weight: 2, make: () => ({ kind: 'duplicate', what: 'partial' }) },
  { label: 'chunks of parameters swapped', weight: 1, make: () => ({ kind: 'reorder', what: 'parameters' }) },
  { label: 'chunks of a partial swapped', weight: 1, make: () => ({ kind: 'reorder', what: 'partial' }) },
  { label: 'engine throws', weight: 1, make: () => ({ kind: 'engineThrow' }) },
  { label: 'engine out of memory', weight: 1, make: () => ({ kind: 'outOfMemory' }) },
  { label: 'worker added', weight: 1, make: () => ({ kind: 'join' }) },
  { label: 'worker removed', weight: 1, make: () => ({ kind: 'leave' }) },
  { label: 'coordinator killed', weight: 2, make: () => ({ kind: 'killCoordinator' }) },
];
const totalWeight = choices.reduce((sum, { weight }) => sum + weight, 0);

export interface ChosenFault {
  readonly label: string;
  readonly fault: Fault;
  /** Index of the worker as a share of their number: 0 the first, just below 1 the last. */
  readonly victim: number;
  /** Undisturbed steps before it. */
  readonly peaceSteps: number;
}

/** The next fault of a chaos run; the sequence is a function of the generator's seed alone. */
export function chooseFault(generator: RandomGenerator, heartbeatLimitMs: number): ChosenFault {
  let at = uniformInt(generator, 0, totalWeight - 1);
  const choice = choices.find(({ weight }) => (at -= weight) < 0)!;
  return {
    label: choice.label,
    fault: choice.make(generator, heartbeatLimitMs),
    victim: uniformInt(generator, 0, 999) / 1000,
    peaceSteps: uniformInt(generator, 0, 5),
  };
}
