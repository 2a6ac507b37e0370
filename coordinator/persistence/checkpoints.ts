import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingState } from '../../job/digest.js';
import { bestStep, checkpointName, decideDue, decideRemoval } from '../../run/checkpoint/checkpoint-decisions.js';
import { type CheckpointHead, fillVector, type StateLayout } from '../../run/checkpoint/checkpoint-file.js';
import { CheckpointThread } from '../../run/checkpoint/checkpoint-thread.js';
import type { RunEvents } from '../state/events.js';

export interface CheckpointsOptions {
  /** Folder of the checkpoints. */
  readonly path: string;
  readonly layout: StateLayout;
  /** Job digest. */
  readonly job: string;
  readonly stepsPerEpoch: number;
  readonly everySteps: number;
  /** Steps of the existing checkpoints. */
  readonly present: readonly number[];
  /** Makes the records durable that belong to a checkpoint. */
  readonly flushRecords: () => Promise<void>;
  readonly evaluations: () => readonly { readonly step: number; readonly correct: number }[];
  readonly events: RunEvents;
  /** Called when a background checkpoint can't be written. */
  readonly onError: (error: Error) => void;
}

/** Copies the state between two steps into a vector. @returns the duration in ms. */
export type CopyState = (into: Float32Array) => Promise<number>;

/** The checkpoints of a run, written in the background; keeps the first, the best and the last two. */
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
   * Called at each step boundary. Starts a checkpoint if one is due; the state is copied while the workers compute.
   * Training continues at once, except at an epoch's end while an earlier checkpoint is still being written.
   * @returns undefined, or a promise that the next step must await.
   */
  atBoundary(at: { readonly step: number; readonly chain: string }, copy: CopyState): Promise<void> | undefined {
    const { stepsPerEpoch, everySteps, events } = this.options;
    const writing = this.#writing;
    const { action, reason } = decideDue({ step: at.step, stepsPerEpoch, everySteps, writing: writing?.step });
    if (action === 'skip') events.emit({ type: 'note', message: reason });
    if (action !== 'write') return undefined;
    if (!writing) return void this.#inBackground(at, copy, 0);
    const begin = performance.now();
    return writing.done.then(
      () => this.#inBackground(at, copy, performance.now() - begin),
      () => undefined,
    );
  }

  /**
   * Writes a checkpoint of `state`, unless there is one, and removes checkpoints that need not be kept. For use before
   * the first step and after the last one.
   * @throws JobError BAD_RUN_DIRECTORY
   */
  async save(state: TrainingState, chain: string): Promise<void> {
    await this.#writing?.done;
    if (this.#steps.has(state.step)) return this.#removeOld();
    fillVector(this.#thread.vector, state);
    await this.#write({ step: state.step, chain }, () => Promise.resolve(0), 0);
  }

  /**
   * Writes a checkpoint at a step boundary on request, unless there is one. @returns its path.
   * @throws JobError BAD_RUN_DIRECTORY
   */
  async saveNow(at: { readonly step: number; readonly chain: string }, copy: CopyState): Promise<string> {
    await this.#writing?.done;
    if (!this.#steps.has(at.step)) await this.#write(at, copy, 0);
    return this.#pathOf(at.step);
  }

  /** Waits for a pending write, whether it succeeds or not, and ends the thread. */
  async close(): Promise<void> {
    await this.#writing?.done.catch(() => undefined);
    await this.#thread.close();
  }

  #inBackground(at: { step: number; chain: string }, copy: CopyState, waitedMs: number): void {
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
