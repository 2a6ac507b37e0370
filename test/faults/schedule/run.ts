import { setTimeout as after } from 'node:timers/promises';
import { Cluster, type ClusterOptions } from './cluster.js';
import type { Burst, Phase, Strike } from './strikes.js';
import { RunWatcher } from './watcher.js';

export interface StruckFault {
  readonly label: string;
  readonly phase: Phase;
  /** Time to the next step, evaluation or end of the run; counted from the return of a coordinator that was down. */
  readonly recoveredMs: number;
}

/** A run without a step, an evaluation or its end for this long counts as hanging. */
const hangLimitMs = 60_000;
const pollMs = 2;

/** Runs a job to its end under faults. @returns the faults that struck. @throws if the run fails or hangs. */
export async function runUnder(options: ClusterOptions, bursts: readonly Burst[]): Promise<StruckFault[]> {
  const cluster = await Cluster.start(options);
  const watcher = new RunWatcher(cluster.port, options.directory);
  const struck: StruckFault[] = [];
  try {
    for (const burst of bursts) struck.push(...(await strikeBurst(cluster, watcher, burst)));
    await progress(cluster, watcher, () => false);
    await cluster.finished;
    return struck;
  } catch (error) {
    const { state, reason, step } = watcher.status ?? {};
    const where = `state ${state} (${reason}), step ${step}, after ${struck.map((s) => s.label).join('; ') || 'no fault'}`;
    throw new Error(`schedule: ${(error as Error).message}; ${where}`, { cause: error });
  } finally {
    await cluster.close();
    await watcher.close();
  }
}

/** Strikes in the burst's phase and waits until the cluster has recovered. Does nothing if the run ends before. */
async function strikeBurst(cluster: Cluster, watcher: RunWatcher, burst: Burst): Promise<StruckFault[]> {
  const { phase } = burst[0]!;
  await progress(cluster, watcher, () => (phase === 'start' ? cluster.hasWorkers : watcher.isIn(phase)));
  const { starts } = cluster;
  const fired: { readonly strike: Strike; sinceMs: number }[] = [];
  for (const strike of burst) {
    await after(strike.afterMs);
    if (cluster.isOver) break;
    const fault = { strike, sinceMs: performance.now() };
    if (cluster.strike(strike, () => (fault.sinceMs = performance.now()))) fired.push(fault);
  }
  const isDown = () => fired.some(({ strike }) => endsCoordinator(strike)) && cluster.starts === starts;
  const sinceMs = () => Math.max(cluster.startedMs, ...fired.map((fault) => fault.sinceMs));
  if (fired.length > 0) await progress(cluster, watcher, () => !isDown() && watcher.progressMs > sinceMs());
  const doneMs = cluster.isOver ? performance.now() : watcher.progressMs;
  return fired.map(({ strike: { label }, sinceMs: ms }) => {
    return { label, phase, recoveredMs: doneMs - (cluster.starts > starts ? cluster.startedMs : ms) };
  });
}

function endsCoordinator({ kind }: Strike): boolean {
  return kind === 'killCoordinator' || kind === 'endCoordinator';
}

/** Waits until `isDone` or the end of the run. @throws if there is no progress for `hangLimitMs`. */
async function progress(cluster: Cluster, watcher: RunWatcher, isDone: () => boolean): Promise<void> {
  const begunMs = performance.now();
  while (!isDone() && !cluster.isOver) {
    await Promise.race([cluster.finished, after(pollMs)]);
    const silentMs = performance.now() - Math.max(watcher.progressMs, cluster.startedMs, begunMs);
    if (silentMs > hangLimitMs) throw new Error(`expected progress within ${hangLimitMs / 1000} s, got none`);
  }
}
