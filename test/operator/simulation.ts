import type { KubernetesObject, V1Deployment, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import { isDeepStrictEqual } from 'node:util';
import { areDerivedFrom, credentialsOf } from '../../operator/plan/credentials.js';
import { labelKeys } from '../../operator/plan/names.js';
import { planJob } from '../../operator/plan/plan-job.js';
import type { Action, Answer, Observed, Plan } from '../../operator/plan/types.js';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import { exited, keyId, makeJob, noonMs, read, reply, running, workerPod } from './objects.js';

/**
 * A cluster with one job, for the property tests of the plan: an API server with caches that lag behind it, a
 * Deployment controller, kubelets, coordinators that train, and all of their possible faults.
 */

export const backoffLimit = 1;
const lastStep = 200;
const foreignUid = 'uid-of-somebody-else';

/** The true state of a coordinator's process. */
interface Process {
  readonly attempt: number;
  step: number;
  paused: boolean;
  /** Its exit code, once it has ended; -1 for one that was killed with its node. */
  code?: number;
}

interface Snapshot {
  readonly job: TrainingJob | undefined;
  readonly objects: readonly KubernetesObject[];
  readonly workerPods: readonly V1Pod[];
}

export interface Reconciliation {
  readonly plan: Plan;
  readonly observed: Observed;
  /** True if the caches were up to date. */
  readonly fresh: boolean;
  /** True if the status was stored and all actions were carried out. */
  readonly done: boolean;
}

export class Simulation {
  nowMs = noonMs;
  job: TrainingJob | undefined = makeJob({ backoffLimit });
  objects: KubernetesObject[] = [];
  workerPods: V1Pod[] = [];
  readonly processes = new Map<string, Process>();
  answer: Answer | undefined;
  taken: { kind: string; name: string }[] = [];
  keyId = keyId;
  /** Checkpointed steps, on the volume. */
  savedStep = 0;
  #version = 1;
  #serial = 0;
  #cached: { job: Snapshot; rest: Snapshot };

  constructor() {
    this.#cached = { job: this.#snapshot(), rest: this.#snapshot() };
  }

  // ---- events in the cluster

  pass(ms: number): void {
    this.nowMs += ms;
  }

  /** The caches catch up; `jobs` and `rest` one by one. */
  hear(what: 'job' | 'rest' | 'all'): void {
    if (what !== 'rest') this.#cached = { ...this.#cached, job: this.#snapshot() };
    if (what !== 'job') this.#cached = { ...this.#cached, rest: this.#snapshot() };
  }

  edit(change: (spec: TrainingJob['spec']) => TrainingJob['spec']): void {
    if (!this.job) return;
    const generation = (this.job.metadata.generation ?? 0) + 1;
    this.#writeJob({ ...this.job, metadata: { ...this.job.metadata, generation }, spec: change(this.job.spec) });
  }

  /** The job is deleted, and all of its objects with it. */
  deleteJob(): void {
    this.job = undefined;
    this.objects = this.objects.filter((object) => ownerOf(object) === foreignUid);
    this.workerPods = [];
    for (const process of this.processes.values()) process.code ??= -1;
  }

  /** Another owner's Service takes the name of ours, or is removed. */
  toggleForeignService(): void {
    const name = 'cifar10-coordinator';
    const there = this.#find('Service', name);
    if (there && ownerOf(there) === foreignUid) this.objects = this.objects.filter((object) => object !== there);
    else if (!there) this.objects.push({ kind: 'Service', metadata: { name, uid: foreignUid, annotations: {} } });
  }

  /** Kubelets and the scheduler: the coordinator's pod starts, or ends if it was asked to. */
  runPods(): void {
    for (const pod of this.#coordinatorPods()) {
      const process = this.processes.get(pod.metadata!.uid!)!;
      if (pod.metadata?.deletionTimestamp !== undefined) {
        process.code ??= 130;
        this.objects = this.objects.filter((object) => object !== pod);
      } else if (pod.status?.phase === 'Pending') this.#replace(pod, withStatus(pod, running));
    }
  }

  /** The Deployment controller, and worker pods that come up. */
  runWorkers(): void {
    const deployment = this.objects.find(({ kind }) => kind === 'Deployment') as V1Deployment | undefined;
    const wanted = deployment?.spec?.replicas ?? 0;
    this.workerPods = this.workerPods.slice(0, wanted).map((pod) => ({ ...pod, status: running }));
    while (this.job && this.workerPods.length < wanted)
      this.workerPods.push(workerPod(this.job, `cifar10-worker-${this.#serial++}`, { phase: 'Pending' }));
  }

  /** Training continues for a while if there are workers; at its end, the coordinator exits. */
  train(steps: number): void {
    for (const pod of this.#coordinatorPods()) {
      const process = this.#living(pod);
      if (!process || process.paused || this.workersUp === 0) continue;
      process.step = Math.min(lastStep, process.step + steps);
      this.savedStep = process.step;
      if (process.step === lastStep) this.#end(pod, 0);
    }
  }

  get workersUp(): number {
    return this.workerPods.filter(({ status }) => status?.phase === 'Running').length;
  }

  togglePause(): void {
    for (const process of this.processes.values()) process.paused = !process.paused;
  }

  /** The coordinator's process exits by itself. A stopping one exits with 130, so only others fail. */
  crash(code: number): void {
    for (const pod of this.#coordinatorPods())
      if (this.#living(pod) && pod.metadata?.deletionTimestamp === undefined && this.job?.spec.suspend === false)
        this.#end(pod, code);
  }

  evict(): void {
    for (const pod of this.#coordinatorPods()) {
      const process = this.processes.get(pod.metadata!.uid!);
      if (process?.code !== undefined) continue;
      process!.code = -1;
      this.#replace(pod, withStatus(pod, { phase: 'Failed', reason: 'Evicted', message: 'low on memory' }));
    }
  }

  /** A user deletes the coordinator's pod, which takes a while to end. */
  deletePod(): void {
    for (const pod of this.#coordinatorPods())
      if (this.processes.get(pod.metadata!.uid!)?.code === undefined) this.#mark(pod);
  }

  /** The operator polls the coordinator, if it has credentials for it; the answer may get lost. */
  ask(lost: boolean): void {
    const pod = this.#coordinatorPods().find((candidate) => this.#living(candidate));
    if (!pod || !this.job || !areDerivedFrom(credentialsOf(pod), this.job, this.keyId)) return;
    const name = pod.metadata?.name ?? '';
    const process = this.#living(pod)!;
    if (lost) this.answer = { ...(this.answer?.pod === name ? this.answer : { pod: name }), error: 'no answer' };
    else {
      const state = process.paused ? 'paused' : this.workersUp === 0 ? 'waiting' : 'training';
      const status = reply({ state, step: process.step, totalSteps: lastStep, workers: 0, readyWorkers: 0 });
      this.answer = { pod: name, status, statusMs: this.nowMs };
    }
  }

  /** Another operator takes over: it knows only the API server's current state. */
  restartOperator(): void {
    this.answer = undefined;
    this.taken = [];
    this.hear('all');
  }

  /** The Secret with the operator's key is deleted, and the operator restarted. */
  loseKey(): void {
    this.keyId = this.keyId === keyId ? 'decaf000' : keyId;
    this.restartOperator();
  }

  // ---- the operator

  /**
   * Plans with the caches' state, and carries the plan out. @param failAfter - number of actions that still succeed.
   */
  reconcile(failAfter = Infinity): Reconciliation | undefined {
    const job = this.#cached.job.job;
    if (!job) return undefined;
    const { objects, workerPods } = this.#cached.rest;
    const children = objects.filter((object) => ownerOf(object) === job.metadata.uid);
    const observed = { job, read, keyId: this.keyId, children, workerPods, control: this.answer, taken: this.taken };
    const fresh = isDeepStrictEqual(this.#cached, { job: this.#snapshot(), rest: this.#snapshot() });
    this.taken = [];
    const plan = planJob(observed, this.nowMs);
    const done = this.#writeStatus(job, plan) && this.#execute(plan.actions, failAfter);
    return { plan, observed, fresh, done };
  }

  #writeStatus(cached: TrainingJob, plan: Plan): boolean {
    if (isDeepStrictEqual(cached.status, plan.status)) return true;
    if (this.job?.metadata.resourceVersion !== cached.metadata.resourceVersion) return false;
    this.#writeJob({ ...cached, status: plan.status });
    return true;
  }

  #execute(actions: readonly Action[], failAfter: number): boolean {
    for (const [i, action] of actions.entries()) if (i >= failAfter || !this.#perform(action)) return false;
    return true;
  }

  #perform(action: Action): boolean {
    if (action.type === 'create') return this.#create(action.object);
    if (action.type === 'apply') {
      const there = this.#find(action.object.kind, action.object.metadata?.name ?? '');
      if (there?.metadata?.uid !== action.object.metadata?.uid) return false;
      if (there) this.#replace(there, { ...action.object });
    }
    if (action.type === 'delete') this.#delete(action.uid);
    return true;
  }

  #create(object: KubernetesObject & { kind: string }): boolean {
    if (!this.job) return false;
    const there = this.#find(object.kind, object.metadata?.name ?? '');
    if (there && ownerOf(there) !== this.job.metadata.uid) {
      this.taken.push({ kind: object.kind, name: object.metadata?.name ?? '' });
      return false;
    }
    if (there) return true;
    const uid = `uid-${this.#serial++}`;
    const made = { ...object, metadata: { ...object.metadata, uid, creationTimestamp: new Date(this.nowMs) } };
    if (object.kind === 'Pod') {
      const attempt = Number(object.metadata?.labels?.[labelKeys.attempt]);
      this.processes.set(uid, { attempt, step: this.savedStep, paused: false });
      this.objects.push({ ...made, status: { phase: 'Pending' } } as V1Pod);
    } else this.objects.push(made);
    return true;
  }

  #delete(uid: string): void {
    if (uid === this.job?.metadata.uid) return this.deleteJob();
    const object = this.objects.find(({ metadata }) => metadata?.uid === uid);
    if (!object) return;
    const isRunning = object.kind === 'Pod' && this.processes.get(uid)?.code === undefined;
    if (isRunning) this.#mark(object);
    else this.objects = this.objects.filter((other) => other !== object);
  }

  // ---- the API server's store

  #writeJob(job: TrainingJob): void {
    this.job = { ...job, metadata: { ...job.metadata, resourceVersion: String(++this.#version) } };
  }

  #snapshot(): Snapshot {
    return { job: this.job, objects: [...this.objects], workerPods: [...this.workerPods] };
  }

  #find(kind: string, name: string): KubernetesObject | undefined {
    return this.objects.find((object) => object.kind === kind && object.metadata?.name === name);
  }

  #replace(before: KubernetesObject, after: KubernetesObject): void {
    this.objects = this.objects.map((object) => (object === before ? after : object));
  }

  #mark(object: KubernetesObject): void {
    if (object.metadata?.deletionTimestamp !== undefined) return;
    const deletionTimestamp = new Date(this.nowMs + 60_000);
    this.#replace(object, { ...object, metadata: { ...object.metadata, deletionTimestamp } });
  }

  #coordinatorPods(): V1Pod[] {
    return this.objects.filter(({ kind, metadata }) => kind === 'Pod' && this.processes.has(metadata?.uid ?? ''));
  }

  #living(pod: V1Pod): Process | undefined {
    const process = this.processes.get(pod.metadata?.uid ?? '');
    return pod.status?.phase === 'Running' && process?.code === undefined ? process : undefined;
  }

  #end(pod: V1Pod, code: number): void {
    this.processes.get(pod.metadata!.uid!)!.code = code;
    this.#replace(pod, withStatus(pod, exited(code)));
  }
}

function withStatus(pod: V1Pod, status: V1PodStatus): V1Pod {
  return { ...pod, status };
}

export function ownerOf({ metadata }: KubernetesObject): string {
  return metadata?.ownerReferences?.[0]?.uid ?? foreignUid;
}
