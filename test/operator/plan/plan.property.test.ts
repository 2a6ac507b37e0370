import { isDeepStrictEqual } from 'node:util';
import type { V1Deployment, V1Pod, V1PodSpec } from '@kubernetes/client-node';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Action } from '../../../operator/plan/types.js';
import { brief } from '../objects.js';
import { Oracle } from '../oracle.js';
import { ownerOf, type Reconciliation, Simulation } from '../simulation.js';
import { runs } from '../../thorough.js';

type Event = readonly [string, (simulation: Simulation) => void];

const quiet: readonly Event[] = [
  ['pods run', (s) => s.runPods()],
  ['workers run', (s) => s.runWorkers()],
  ['time', (s) => s.pass(1_500)],
  ['a minute', (s) => s.pass(61_000)],
  ['training', (s) => s.train(30)],
  ['answer', (s) => s.ask(false)],
];
const faults: readonly Event[] = [
  ['answer lost', (s) => s.ask(true)],
  ['fails', (s) => s.crash(1)],
  ['out of memory', (s) => s.crash(137)],
  ['stopped', (s) => s.crash(130)],
  ['evicted', (s) => s.evict()],
  ['pod deleted', (s) => s.deletePod()],
  ['operator restarts', (s) => s.restartOperator()],
  ['key lost', (s) => s.loseKey()],
  ['suspend', (s) => s.edit((spec) => ({ ...spec, suspend: true }))],
  ['resume', (s) => s.edit((spec) => ({ ...spec, suspend: false }))],
  ['scale', (s) => s.edit((spec) => ({ ...spec, workers: { ...spec.workers, replicas: 3 } }))],
  ['scale to 0', (s) => s.edit((spec) => ({ ...spec, workers: { ...spec.workers, replicas: 0 } }))],
  ['pause', (s) => s.togglePause()],
  ['foreign service', (s) => s.toggleForeignService()],
];
/** After these not much more can happen. */
const ends: readonly Event[] = [
  ['wrong spec', (s) => s.crash(2)],
  ['job deleted', (s) => s.deleteJob()],
];
type Command =
  /** All of `quiet`, then a reconciliation with fresh caches. */
  | { readonly type: 'round' }
  | { readonly type: 'event'; readonly event: Event }
  | { readonly type: 'hear'; readonly what: 'job' | 'rest' | 'all' }
  | { readonly type: 'reconcile'; readonly failAfter: number };

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 15, arbitrary: fc.constant({ type: 'round' as const }) },
  { weight: 20, arbitrary: fc.constantFrom(...quiet).map((event) => ({ type: 'event' as const, event })) },
  { weight: 1, arbitrary: fc.constantFrom(...ends).map((event) => ({ type: 'event' as const, event })) },
  { weight: 12, arbitrary: fc.constantFrom(...faults).map((event) => ({ type: 'event' as const, event })) },
  {
    weight: 10,
    arbitrary: fc.constantFrom('job', 'rest', 'all', 'all', 'all').map((what) => ({ type: 'hear' as const, what })),
  },
  {
    weight: 20,
    arbitrary: fc
      .constantFrom(0, 1, 5, ...Array<number>(9).fill(Infinity))
      .map((failAfter) => ({ type: 'reconcile' as const, failAfter })),
  },
);
const commands = fc
  .array(command, { minLength: 5, maxLength: 120 })
  .map((list) => Object.assign(list, { toString: () => list.map(name).join(', ') }));

function name(one: Command): string {
  if (one.type === 'round') return 'round';
  return one.type === 'event' ? one.event[0] : one.type === 'hear' ? `hear ${one.what}` : `reconcile ${one.failAfter}`;
}

/** A simulation under watch: every reconciliation is checked. */
class Watched {
  readonly simulation = new Simulation();
  readonly #oracle = new Oracle();
  states = new Set<string>();

  run(one: Command): void {
    if (one.type === 'event') one.event[1](this.simulation);
    else if (one.type === 'round') this.round();
    else if (one.type === 'hear') this.simulation.hear(one.what);
    else this.reconcile(one.failAfter);
    this.#onlyOneRuns();
  }

  round(): Reconciliation | undefined {
    for (const [, event] of quiet) event(this.simulation);
    this.simulation.hear('all');
    return this.reconcile();
  }

  reconcile(failAfter = Infinity): Reconciliation | undefined {
    const before = this.simulation.objects;
    const found = this.simulation.reconcile(failAfter);
    if (!found) return undefined;
    this.#touchesOnlyItsOwn(found);
    const foreign = (objects: typeof before) => objects.filter((object) => ownerOf(object) !== 'uid-of-the-job');
    check(
      isDeepStrictEqual(foreign(this.simulation.objects), foreign(before)),
      'an object of somebody else was touched',
    );
    if (this.#isWritten(found)) this.#oracle.learn(found);
    const { state } = found.plan.status;
    const expected = found.fresh ? this.#oracle.state(this.simulation, found) : state;
    check(state === expected, `state: expected ${expected}, got ${state}`);
    this.states.add(found.plan.status.state);
    if (found.fresh && found.done) this.#workersHaveSecretsOfCoordinator();
    return found;
  }

  /** The status is stored: it was up to date already, or was written. */
  #isWritten({ plan }: Reconciliation): boolean {
    return isDeepStrictEqual(this.simulation.job?.status, plan.status);
  }

  #touchesOnlyItsOwn({ plan, observed }: Reconciliation): void {
    const own = new Set([observed.job, ...observed.children].map(({ metadata }) => metadata?.uid));
    const touched = (action: Action) =>
      action.type === 'delete' ? [action.uid] : action.type === 'apply' ? [action.object.metadata?.uid] : [];
    for (const uid of plan.actions.flatMap(touched)) check(own.has(uid), `an action on ${uid}`);
    for (const action of plan.actions)
      if (action.type === 'create')
        check(ownerOf(action.object) === observed.job.metadata.uid, 'an object of nobody was made');
  }

  #workersHaveSecretsOfCoordinator(): void {
    const { objects, processes } = this.simulation;
    const pod = objects.find(({ metadata }) => {
      const process = processes.get(metadata?.uid ?? '');
      return process !== undefined && process.code === undefined;
    }) as V1Pod | undefined;
    const deployment = objects.find(({ kind }) => kind === 'Deployment') as V1Deployment | undefined;
    if (!pod || !deployment) return;
    const [coordinators, workers] = [tokenSecretOf(pod.spec), tokenSecretOf(deployment.spec?.template.spec)];
    check(coordinators === workers, `workers: expected the token of ${coordinators}, got that of ${workers}`);
  }

  #onlyOneRuns(): void {
    const living = [...this.simulation.processes.values()].filter(({ code }) => code === undefined);
    check(living.length <= 1, `${living.length} coordinators run`);
  }

  /** Runs without further faults until nothing more happens. @returns the last plan. */
  settle(): Reconciliation | undefined {
    const { simulation } = this;
    if (simulation.objects.some((object) => ownerOf(object) !== 'uid-of-the-job')) simulation.toggleForeignService();
    for (const process of simulation.processes.values()) process.paused = false;
    let idle = 0;
    for (let round = 0; round < 60 && idle < 3; round++) {
      const found = this.round();
      // The user follows the message's advice.
      if (found?.plan.status.message?.includes('another operator key')) simulation.deletePod();
      const isIdle =
        !found || (found.plan.actions.length === 0 && isDeepStrictEqual(found.plan.status, found.observed.job.status));
      idle = isIdle ? idle + 1 : 0;
    }
    simulation.hear('all');
    return this.reconcile();
  }
}

function tokenSecretOf(spec: V1PodSpec | undefined): string | undefined {
  return spec?.volumes?.find(({ name }) => name === 'token')?.secret?.secretName;
}

/** Far quicker than `expect`, which would be called a million times. */
function check(holds: boolean, message: string): void {
  if (!holds) throw new Error(message);
}

describe('the plan, in a cluster where anything may happen', () => {
  it('touches only its own objects, runs one coordinator at most, names the state, and settles', () => {
    const property = fc.property(commands, (list) => {
      const watched = new Watched();
      for (const one of list) watched.run(one);
      const last = watched.settle();
      if (!last) return;
      expect(last.plan.actions.map(brief)).toEqual([]);
      expect(last.plan.status).toEqual(last.observed.job.status);
      const { suspend, workers } = last.observed.job.spec;
      const { state } = last.plan.status;
      if (state === 'Failed' || state === 'Succeeded') expect(last.plan.ask).toBeUndefined();
      else expect(state).toBe(suspend ? 'Suspended' : workers?.replicas === 0 ? 'WaitingForWorkers' : 'Succeeded');
    });
    fc.assert(property, { numRuns: Number(process.env['LOCKSTEP_RUNS'] ?? runs(150)) });
  });

  it('goes through every state in a scenario that has all of them', () => {
    const watched = new Watched();
    const known = new Map([...quiet, ...faults].map((event) => [event[0], event]));
    const way = 'round,pods run,round,pause,round,pause,round,pod deleted,round,suspend,round,round,resume,round,round';
    for (const step of way.split(','))
      watched.run(step === 'round' ? { type: 'round' } : { type: 'event', event: known.get(step)! });
    watched.settle();
    const all = [
      'Pending',
      'WaitingForWorkers',
      'Running',
      'Paused',
      'Restarting',
      'Suspending',
      'Suspended',
      'Succeeded',
    ];
    expect([...watched.states].sort()).toEqual(all.sort());
  });
});
