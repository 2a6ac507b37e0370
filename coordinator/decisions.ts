/** What the coordinator decides about its workers: pure functions of what is known, with the time as an argument. */

/** A worker as the decisions see it. */
export interface WorkerView {
  readonly workerId: string;
  /** Its programs are compiled. */
  readonly ready: boolean;
  /** Shards whose data it has. */
  readonly holding: ReadonlySet<number>;
}

/**
 * Who computes each shard in the next step: its assigned worker once that one has the data, until then whoever has it,
 * so that a shard that moves does not hold up the step.
 * @returns worker per shard; undefined where no ready worker is assigned or holds it.
 */
export function decideOwners(
  shards: number,
  assigned: ReadonlyMap<string, readonly number[]>,
  workers: readonly WorkerView[],
): (string | undefined)[] {
  const ready = workers.filter((worker) => worker.ready);
  return Array.from({ length: shards }, (_, shard) => {
    const target = ready.find((worker) => assigned.get(worker.workerId)?.includes(shard));
    if (target?.holding.has(shard)) return target.workerId;
    return (ready.find((worker) => worker.holding.has(shard)) ?? target)?.workerId;
  });
}

/**
 * Workers that have been silent past the heartbeat limit.
 * @param lateMs - by how much this check itself runs late; a coordinator that was held up must not blame the workers
 * for messages that it has not read yet.
 */
export function decideLost(
  workers: readonly { readonly workerId: string; readonly lastHeardMs: number }[],
  nowMs: number,
  limitMs: number,
  lateMs: number,
): string[] {
  if (lateMs > limitMs / 4) return [];
  return workers.filter((worker) => nowMs - worker.lastHeardMs > limitMs).map((worker) => worker.workerId);
}

/** Spreads the batches of an evaluation over the workers in contiguous runs, the first workers taking one more. */
export function splitBatches(batches: number, workers: readonly string[]): Map<string, number[]> {
  const split = new Map<string, number[]>();
  workers.forEach((workerId, index) => {
    const begin = Math.ceil((index * batches) / workers.length);
    const end = Math.ceil(((index + 1) * batches) / workers.length);
    split.set(
      workerId,
      Array.from({ length: end - begin }, (_, i) => begin + i),
    );
  });
  return split;
}

/** What decides the bits that a worker computes. */
export interface EngineClass {
  readonly engine: string;
  readonly engineVersion: string;
  readonly device: string;
  readonly lowering: string;
  readonly threads: number;
}

/**
 * Whether a worker computes with the engine that the run began with; another one could give other bits.
 * @returns what is wrong with it, or undefined.
 */
export function decideEngine(run: EngineClass, worker: EngineClass, workerId: string): string | undefined {
  const describe = ({ engine, engineVersion, device, lowering, threads }: EngineClass) =>
    `${engine} (${engineVersion}, ${device}, ${lowering}, ${threads} thread(s))`;
  const [wanted, found] = [describe(run), describe(worker)];
  if (wanted === found) return undefined;
  return (
    `join: expected engine ${wanted}, as the run began with, got ${found} from worker ${workerId}; ` +
    'run one kind of machine and one Lockstep version, or set engine.lowering to portable'
  );
}

export type StartDecision =
  { readonly start: true; readonly reason: string } | { readonly start: false; readonly reason: string };

/** Whether enough workers are ready for a step. */
export function decideStart(ready: number, joined: number, wanted: number): StartDecision {
  if (ready >= wanted) return { start: true, reason: `${ready} ${ready === 1 ? 'worker' : 'workers'} ready` };
  const compiling = joined > ready ? `, ${joined - ready} compiling` : '';
  return {
    start: false,
    reason: `waiting for workers: ${ready} of ${wanted} ready${compiling}`,
  };
}
