import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingState } from '../../job/digest.js';
import { bestStep, checkpointName, decideDue, decideRemoval } from '../../run/checkpoint-decisions.js';
import { type CheckpointHead, fillVector, type StateLayout } from '../../run/checkpoint-file.js';
import { CheckpointThread } from '../../run/checkpoint-thread.js';
import type { RunEvents } from '../state/events.js';

export interface CheckpointsOptions {
  /** The folder that they are in. */
  readonly path: string;
  readonly layout: StateLayout;
  /** Job digest. */
  readonly job: string;
  readonly stepsPerEpoch: number;
  readonly everySteps: number;
  /** Steps of the checkpoints that are there already. */
  readonly present: readonly number[];
  /** Makes the records durable that a checkpoint stands on. */
  readonly flushRecords: () => Promise<void>;
  readonly evaluations: () => readonly { readonly step: number; readonly correct: number }[];
  readonly events: RunEvents;
  /** A checkpoint could not be written while the run went on. */
  readonly onError: (error: Error) => void;
}

/** Copies the state between two steps into a vector. @returns how long the copying took, in ms. */
export type CopyState = (into: Float32Array) => Promise<number>;

/** The checkpoints of a run: written beside the training, two kept besides the first and the best. */
export class Checkpoints {
  readonly #thread: CheckpointThread;
  readonly #steps: Set<number>;
  #writing: { readonly step: number; readonly done: Promise<void> } | undefined;
  #lastPath: string | undefined;

  constructor(private readonly options: CheckpointsOptions) {
    this.#thread = new CheckpointThread(options.layout);
    this.#steps = new Set(options.present);
    if (this.#steps.size > 0) this.#lastPath = this.#pathOf(Math.max(...this.#steps));
  }

  /** Path of the newest complete checkpoint. */
  get lastPath(): string | undefined {
    return this.#lastPath;
  }

  /**
   * Called between two steps, before the next one begins. The state is copied while the workers compute; training goes
   * on at once, except at an epoch's end while the checkpoint before is still being written.
   * @returns undefined, or what the next step has to wait for.
   */
  atStepBoundary(at: { readonly step: number; readonly chain: string }, copy: CopyState): Promise<void> | undefined {
    const { stepsPerEpoch, everySteps, events } = this.options;
    const writing = this.#writing;
    const { action, reason } = decideDue({ step: at.step, stepsPerEpoch, everySteps, writing: writing?.step });
    if (action === 'skip') events.emit({ type: 'note', message: reason });
    if (action !== 'write') return undefined;
    if (!writing) return void this.#beside(at, copy, 0);
    const begin = performance.now();
    return writing.done.then(
      () => this.#beside(at, copy, performance.now() - begin),
      () => undefined,
    );
  }

  /**
   * Before the first step and after the last one: settles when a checkpoint of `state` is there, and none too many.
   * @throws JobError BAD_RUN_DIRECTORY
   */
  async save(state: TrainingState, chain: string): Promise<void> {
    await this.#writing?.done;
    if (this.#steps.has(state.step)) return this.#removeOld();
    fillVector(this.#thread.vector, state);
    await this.#write({ step: state.step, chain }, () => Promise.resolve(0), 0);
  }

  /**
   * Between two steps, on demand: settles with the path when a checkpoint of this state is there.
   * @throws JobError BAD_RUN_DIRECTORY
   */
  async saveNow(at: { readonly step: number; readonly chain: string }, copy: CopyState): Promise<string> {
    await this.#writing?.done;
    if (!this.#steps.has(at.step)) await this.#write(at, copy, 0);
    return this.#pathOf(at.step);
  }

  /** Waits for what is being written, whether it succeeds or not. */
  async close(): Promise<void> {
    await this.#writing?.done.catch(() => undefined);
    await this.#thread.close();
  }

  #beside(at: { step: number; chain: string }, copy: CopyState, waitedMs: number): void {
    this.#write(at, copy, waitedMs).catch(this.options.onError);
  }

  #write(at: { step: number; chain: string }, copy: CopyState, waitedMs: number): Promise<void> {
    const done = this.#writeNow({ job: this.options.job, ...at }, copy, waitedMs);
    const writing = (this.#writing = { step: at.step, done });
    const settled = () => {
      if (this.#writing === writing) this.#writing = undefined;
    };
    done.then(settled, settled);
    return done;
  }

  async #writeNow(head: CheckpointHead, copy: CopyState, waitedMs: number): Promise<void> {
    const begin = performance.now();
    const path = this.#pathOf(head.step);
    const blockedMs = waitedMs + (await copy(this.#thread.vector));
    await this.options.flushRecords();
    await this.#thread.write({ path, head });
    this.#steps.add(head.step);
    this.#lastPath = path;
    await this.#removeOld();
    const durationMs = performance.now() - begin;
    this.options.events.emit({ type: 'checkpoint', step: head.step, path, durationMs, blockedMs });
  }

  async #removeOld(): Promise<void> {
    for (const step of decideRemoval([...this.#steps], bestStep(this.options.evaluations()))) {
      await rm(this.#pathOf(step), { force: true });
      this.#steps.delete(step);
    }
  }

  #pathOf(step: number): string {
    return join(this.options.path, checkpointName(step));
  }
}
