import type { V1Pod } from '@kubernetes/client-node';
import type { TrainingJob } from '../../operator/resource/training-job.js';

/** Observations of one job at some time: by watches of it and its pods, and from the coordinator's own log. */
export type Sighting = { readonly atMs: number } & (
  | { readonly type: 'job'; readonly job: TrainingJob | undefined }
  | { readonly type: 'pod'; readonly pod: V1Pod; readonly gone: boolean }
  | { readonly type: 'coordinator'; readonly state: string }
);

/** A State that was shown although, for `lagMs`, the observations had not matched it. */
export interface WrongState {
  readonly atMs: number;
  readonly shown: string;
  readonly allowed: readonly string[];
}

interface World {
  suspend: boolean;
  shown: string | undefined;
  deleted: boolean;
  readonly pods: Map<string, V1Pod>;
  /** Since the start of the newest coordinator's process. */
  coordinator: string | undefined;
  /** Starts of the coordinator since the job was created or resumed from suspension. */
  starts: number;
}

/**
 * Checks the State column against the observations: whatever is shown must have been true within the last `lagMs`.
 *
 * It is derived from what the words mean to a user, not from the operator's code.
 */
export function findWrongStates(sightings: readonly Sighting[], lagMs: number): WrongState[] {
  const world = emptyWorld();
  const history: { readonly atMs: number; readonly allowed: readonly string[] }[] = [];
  const wrong: WrongState[] = [];
  const check = (atMs: number) => {
    if (world.shown === undefined || world.deleted) return;
    const since = history.findLastIndex((entry) => entry.atMs <= atMs - lagMs);
    const allowed = [...new Set(history.slice(Math.max(0, since)).flatMap((entry) => entry.allowed))];
    if (!allowed.includes(world.shown)) wrong.push({ atMs, shown: world.shown, allowed });
  };
  for (const sighting of [...sightings].sort((left, right) => left.atMs - right.atMs)) {
    // The previous State must have been right until then.
    check(sighting.atMs);
    take(world, sighting);
    history.push({ atMs: sighting.atMs, allowed: allowedStates(world) });
    check(sighting.atMs);
  }
  return wrong;
}

/** States in the order in which they were shown, without repetitions. */
export function shownStates(sightings: readonly Sighting[]): string[] {
  const states = sightings.flatMap((sighting) => (sighting.type === 'job' ? (sighting.job?.status?.state ?? []) : []));
  return states.filter((state, index) => state !== states[index - 1]);
}

function emptyWorld(): World {
  const pods = new Map<string, V1Pod>();
  return { suspend: false, shown: undefined, deleted: false, pods, coordinator: undefined, starts: 0 };
}

function take(world: World, sighting: Sighting): void {
  if (sighting.type === 'coordinator') {
    world.coordinator = sighting.state;
  } else if (sighting.type === 'job') {
    world.deleted = sighting.job === undefined;
    world.suspend = sighting.job?.spec.suspend ?? false;
    world.shown = sighting.job?.status?.state ?? world.shown;
    if (world.suspend) world.starts = 0;
  } else {
    takePod(world, sighting.pod, sighting.gone);
  }
}

function takePod(world: World, pod: V1Pod, gone: boolean): void {
  const uid = pod.metadata!.uid!;
  if (isCoordinator(pod) && !world.pods.has(uid) && !gone) {
    world.starts += 1;
    world.coordinator = undefined;
  }
  if (gone && pod.status?.phase !== 'Succeeded') world.pods.delete(uid);
  else world.pods.set(uid, pod);
}

function allowedStates(world: World): string[] {
  const coordinators = [...world.pods.values()].filter(isCoordinator);
  if (coordinators.some(({ status }) => status?.phase === 'Succeeded')) return ['Succeeded'];
  if (world.suspend) return [...world.pods.values()].some(isLive) ? ['Suspending'] : ['Suspended'];
  const running = coordinators.find((pod) => isLive(pod) && pod.metadata?.deletionTimestamp === undefined);
  if (!running) return [world.starts === 0 ? 'Pending' : 'Restarting'];
  if (running.status?.phase !== 'Running' || world.coordinator === undefined) {
    return [world.starts <= 1 ? 'Pending' : 'Restarting'];
  }
  if (world.coordinator === 'waiting') return ['WaitingForWorkers'];
  return [world.coordinator === 'paused' ? 'Paused' : 'Running'];
}

function isCoordinator({ metadata }: V1Pod): boolean {
  return metadata?.labels?.['app.kubernetes.io/component'] === 'coordinator';
}

function isLive({ status }: V1Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed';
}
