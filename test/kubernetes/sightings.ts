import { existsSync, readFileSync } from 'node:fs';
import type { KubernetesListObject, V1Pod } from '@kubernetes/client-node';
import type { TrainingJob } from '../../operator/resource/training-job.js';
import type { Cluster } from './cluster.js';
import { Follow } from './follow.js';
import type { Sighting } from './state-oracle.js';

const pollMs = 50;

/** Records everything visible of the job `name` from outside, with the time; for the oracle. */
export class Sightings {
  readonly all: Sighting[] = [];
  readonly #follows: Follow<TrainingJob | V1Pod>[];
  #timer: NodeJS.Timeout | undefined;
  #read = 0;

  constructor(cluster: Cluster, name: string) {
    const client = cluster.client();
    const now = () => Date.now();
    const seeJob = (job: TrainingJob, gone: boolean) => {
      if (job.metadata.name === name) this.all.push({ atMs: now(), type: 'job', job: gone ? undefined : job });
    };
    const seePod = (pod: V1Pod, gone: boolean) => {
      if (pod.metadata?.labels?.['lockstep.dev/job'] === name) this.all.push({ atMs: now(), type: 'pod', pod, gone });
    };
    const listJobs = async (): Promise<KubernetesListObject<TrainingJob>> => {
      const list = await client.objects.list('lockstep.dev/v1alpha1', 'TrainingJob', 'default');
      return list as KubernetesListObject<TrainingJob>;
    };
    const both = <Kind>(see: (object: Kind, gone: boolean) => void) => ({
      onChange: (object: Kind) => see(object, false),
      onDelete: (object: Kind) => see(object, true),
    });
    const jobs = '/apis/lockstep.dev/v1alpha1/namespaces/default/trainingjobs';
    const listPods = () => client.core.listNamespacedPod({ namespace: 'default' });
    this.#follows = [
      new Follow<TrainingJob>(cluster.config(), jobs, listJobs, both(seeJob)),
      new Follow<V1Pod>(cluster.config(), '/api/v1/namespaces/default/pods', listPods, both(seePod)),
    ] as Follow<TrainingJob | V1Pod>[];
  }

  async start(): Promise<void> {
    await Promise.all(this.#follows.map((follow) => follow.start()));
  }

  /** The coordinator's reports in its run's log, so far and from now on. */
  readLog(file: () => string | undefined): void {
    this.#timer = setInterval(() => this.#take(file()), pollMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#follows.map((follow) => follow.stop()));
  }

  #take(file: string | undefined): void {
    if (file === undefined || !existsSync(file)) return;
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    for (const line of lines.slice(this.#read)) {
      const { time, msg, state } = JSON.parse(line) as { time: number; msg: string; state?: string };
      if (msg === 'state' && state !== undefined) this.all.push({ atMs: time, type: 'coordinator', state });
    }
    this.#read = lines.length;
  }
}
