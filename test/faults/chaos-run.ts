import { join } from 'node:path';
import { interruptedExitCode } from '../../cli/exit-codes.js';
import { generatorFor } from '../../job/random.js';
import { Command } from '../e2e/lockstep.js';
import { type ChosenFault, chooseFault } from './chaos-choice.js';
import { FaultCluster } from './fault-cluster.js';
import type { FiredFault } from './recovery.js';
import { readDigests, readRun, type RunRecord } from './run-record.js';
import { until } from '../until.js';

export interface ChaosOptions {
  /** The run ends after this time, or once all faults have struck. */
  readonly minutes: number;
  readonly faults: number;
  readonly seed: number;
  readonly workers: number;
  readonly heartbeatLimitMs: number;
  /** For run directories. */
  readonly scratch: string;
  readonly job: readonly string[];
  readonly say: (line: string) => void;
}

export interface StruckFault {
  readonly label: string;
  readonly recoveredMs: number;
}

/** Limit for a fault to strike, and for the cluster to recover from it. */
const strikeLimitMs = 20_000;
const recoveryLimitMs = 60_000;

/**
 * Strikes a running cluster with random faults until there were enough. @returns the faults; their effects are in the
 * run's directory.
 */
export async function unleash(options: ChaosOptions, directory: string): Promise<StruckFault[]> {
  const { workers, heartbeatLimitMs, job, say } = options;
  const cluster = new FaultCluster({ job, directory, workers, minWorkers: 1, heartbeatLimitMs });
  const endMs = performance.now() + options.minutes * 60_000;
  try {
    await cluster.start();
    const finished = cluster.finish(options.minutes * 60_000 + 3 * recoveryLimitMs);
    const struck = await Promise.race([strikeAll(cluster, options, endMs), finished.then(endedEarly)]);
    say(`${struck.length} faults struck in ${cluster.step} steps; stopping the run`);
    await cluster.stop();
    const code = await finished;
    if (code !== interruptedExitCode) throw new Error(`exit code ${code} of the coordinator that was told to stop`);
    return struck;
  } catch (error) {
    throw new Error(`chaos: expected the cluster to go on, got ${(error as Error).message}\n${cluster.describe()}`, {
      cause: error,
    });
  } finally {
    await cluster.close();
  }
}

function endedEarly(): never {
  throw new Error('the end of the job before the last fault; give it more epochs');
}

async function strikeAll(cluster: FaultCluster, options: ChaosOptions, endMs: number): Promise<StruckFault[]> {
  const generator = generatorFor('chaos', options.seed);
  const struck: StruckFault[] = [];
  await until(() => cluster.step >= 1, recoveryLimitMs, 'the first step');
  while (struck.length < options.faults && performance.now() < endMs) {
    const chosen = chooseFault(generator, options.heartbeatLimitMs);
    const recoveredMs = await strikeOnce(cluster, chosen, options.workers);
    if (recoveredMs === undefined) continue;
    struck.push({ label: chosen.label, recoveredMs });
    options.say(
      `${struck.length}: step ${cluster.step}, ${chosen.label}, next step after ${recoveredMs.toFixed(0)} ms`,
    );
  }
  return struck;
}

/** @returns milliseconds to the next step; undefined if there was nothing to strike. */
async function strikeOnce(cluster: FaultCluster, chosen: ChosenFault, workers: number): Promise<number | undefined> {
  const { fault, victim, peaceSteps } = chosen;
  const peaceUntil = cluster.step + peaceSteps;
  await until(() => cluster.step >= peaceUntil && cluster.busy.length > 0, recoveryLimitMs, `step ${peaceUntil}`);
  if (fault.kind === 'leave' && cluster.members.size <= Math.max(2, workers - 1)) return undefined;
  if (fault.kind === 'join' && cluster.members.size > workers) return undefined;
  const { busy } = cluster;
  const before = cluster.fired.length;
  cluster.strike({ at: { worker: busy[Math.floor(victim * busy.length)]!, step: cluster.step }, fault });
  const strikes = await until(() => cluster.fired.length > before, strikeLimitMs, chosen.label).then(
    () => true,
    () => false,
  );
  if (!strikes) return undefined;
  const fired: FiredFault = cluster.fired[before]!;
  await until(() => fired.recoveredMs !== undefined, recoveryLimitMs, `a step after ${chosen.label}`);
  return fired.recoveredMs;
}

/** The same job undisturbed, for the same number of epochs. */
export async function runQuietly(options: ChaosOptions, epochs: number): Promise<RunRecord> {
  const directory = join(options.scratch, 'quiet');
  const train = new Command(['train', ...options.job, '--workers', '2', '--run', directory]);
  try {
    await train.until(/Train Epoch/, recoveryLimitMs);
    const reached = () => (readDigests(directory).at(-1)?.epoch ?? 0) >= epochs;
    await until(reached, options.minutes * 60_000 + recoveryLimitMs, `epoch ${epochs} of the quiet run`);
    train.process.kill('SIGTERM');
    await train.ended;
    return readRun(directory);
  } finally {
    await train.kill();
  }
}
