import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { labelKeys } from '../../operator/plan/names.js';
import type { State } from '../../operator/resource/status.js';
import { backoffLimit, type Reconciliation, type Simulation } from './simulation.js';

/** The state of a job from the simulation alone, without the plan. */
export class Oracle {
  #over: State | undefined;
  #failed = new Set<string>();
  /** Each coordinator's last reported state, as far as the operator recorded it. */
  readonly #said = new Map<number, State>();
  /** The newest start that a suspension ended. */
  #stopped = 0;
  #seen = 0;

  /** Called for each reconciliation whose status was stored. */
  learn({ observed }: Reconciliation): void {
    const attempts = observed.children.filter(({ kind }) => kind === 'Pod').map(attemptOf);
    this.#seen = Math.max(this.#seen, ...attempts);
    const said = observed.control?.status?.state;
    const about = Number(observed.control?.pod.split('-').at(-1));
    if (said !== undefined && about === this.#seen)
      this.#said.set(about, said === 'waiting' ? 'WaitingForWorkers' : said === 'paused' ? 'Paused' : 'Running');
    const current = observed.children.find((child) => child.kind === 'Pod' && attemptOf(child) === this.#seen) as V1Pod;
    const alive = current !== undefined && !['Succeeded', 'Failed'].includes(current.status?.phase ?? '');
    if (observed.job.spec.suspend) this.#stopped = this.#seen;
    else if (alive && !current.metadata?.deletionTimestamp && this.#stopped === this.#seen) this.#stopped = 0;
  }

  /** The state that a reconciliation with fresh caches should have reached. */
  state(simulation: Simulation, { observed }: Reconciliation): State {
    this.#over ??= this.#outcome(observed.children);
    if (this.#over) return this.#over;
    const pods = observed.children.filter(({ kind }) => kind === 'Pod') as V1Pod[];
    const live = pods.find(({ metadata }) => simulation.processes.get(metadata!.uid!)?.code === undefined);
    if (observed.job.spec.suspend) return live || observed.workerPods.length > 0 ? 'Suspending' : 'Suspended';
    if (!live) return this.#seen === 0 || this.#stopped === this.#seen ? 'Pending' : 'Restarting';
    const attempt = attemptOf(live);
    if (live.metadata?.deletionTimestamp) return this.#stopped === attempt ? 'Pending' : 'Restarting';
    const said = this.#said.get(attempt);
    if (live.status?.phase === 'Running' && said) return said;
    return attempt === 1 || this.#stopped === attempt - 1 ? 'Pending' : 'Restarting';
  }

  #outcome(children: readonly V1Pod[]): State | undefined {
    const codes = children.map(
      (pod) => [pod, pod.status?.containerStatuses?.[0]?.state?.terminated?.exitCode] as const,
    );
    for (const [pod, code] of codes) if (code === 1 || code === 137) this.#failed.add(pod.metadata!.uid!);
    if (codes.some(([, code]) => code === 0)) return 'Succeeded';
    return codes.some(([, code]) => code === 2) || this.#failed.size > backoffLimit ? 'Failed' : undefined;
  }
}

function attemptOf({ metadata }: KubernetesObject): number {
  return Number(metadata?.labels?.[labelKeys.attempt]);
}
