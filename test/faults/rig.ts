import { join } from 'node:path';
import { lockstep, scratchDirectory } from '../e2e/lockstep.js';
import { FaultCluster, type FaultClusterOptions } from './fault-cluster.js';
import type { FaultPlan } from './plan.js';
import { readRun, type RunRecord } from './run-record.js';

/** Heartbeat limit of the clusters under test: tolerant of a busy machine, and still short to wait for. */
export const heartbeatLimitMs = 1_000;
const usualFinishLimitMs = 100_000;

/**
 * A job of seconds: the synthetic dataset with few images, augmentation on; 3 shards by default. With `--model mlp` its
 * processes do little besides what is under test.
 */
export function faultJob(...more: string[]): string[] {
  return [
    ...['--preset', 'cluster-cnn3', '--shards', '3', '--batch-per-shard', '10', '--epochs', '4'],
    ...['--set', 'data.dataset=synthetic', '--set', 'data.limit=125', '--set', 'evaluation.everyEpochs=0'],
    ...['--set', 'data.augment.flip=true', '--set', 'data.augment.crop=2', '--set', 'checkpoint.everySteps=5', ...more],
  ];
}

/** Differences from the usual cluster. */
export interface RigOptions extends Pick<FaultClusterOptions, 'kinds'> {
  readonly heartbeatLimitMs?: number;
  readonly finishLimitMs?: number;
}

export interface Suffered {
  readonly cluster: FaultCluster;
  readonly run: RunRecord;
}

/** Runs of one job: the undisturbed one, computed once, and those under a plan of faults. */
export class FaultRig {
  readonly #scratch = scratchDirectory();
  #quiet: Promise<RunRecord> | undefined;
  #runs = 0;

  constructor(
    private readonly job: readonly string[],
    private readonly workers = 3,
    private readonly options: RigOptions = {},
  ) {}

  /** The undisturbed run, by one worker. */
  quiet(): Promise<RunRecord> {
    return (this.#quiet ??= this.#runQuietly());
  }

  /** Runs the job to its end with these faults. @throws when it fails or exceeds a limit. */
  async suffer(plan: FaultPlan): Promise<Suffered> {
    const directory = join(this.#scratch.path, `run-${this.#runs++}`);
    const { finishLimitMs = usualFinishLimitMs, ...options } = this.options;
    const usual = { job: this.job, directory, workers: this.workers, heartbeatLimitMs };
    const cluster = new FaultCluster({ ...usual, ...options, plan });
    try {
      await cluster.start();
      await cluster.finish(finishLimitMs);
      return { cluster, run: readRun(directory) };
    } finally {
      await cluster.close();
    }
  }

  remove(): void {
    this.#scratch.remove();
  }

  async #runQuietly(): Promise<RunRecord> {
    const directory = join(this.#scratch.path, 'quiet');
    const { code, stderr } = await lockstep(['train', ...this.job, '--workers', '1', '--run', directory]);
    if (code !== 0) throw new Error(`quiet run: expected exit code 0, got ${code}: ${stderr}`);
    return readRun(directory);
  }
}
