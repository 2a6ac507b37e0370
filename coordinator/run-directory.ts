import { createWriteStream, type WriteStream } from 'node:fs';
import { access, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { lock } from 'proper-lockfile';
import { JobError } from '../job/errors.js';
import type { StepRecord } from './records.js';
import { cannotWrite, makeDirectory, writeWhole } from './write-file.js';

const stepsHeader = 'step,epoch,samples,loss,correct,learning_rate,duration_ms,workers\n';

/** The files of one run. Locked while in use; every file but the growing ones is written aside and renamed. */
export class RunDirectory {
  readonly #steps: WriteStream;
  readonly #digests: WriteStream;
  /** Rejects when a record cannot be written, as on a full disk; the run cannot go on then. */
  readonly failed: Promise<never>;

  private constructor(
    readonly path: string,
    private readonly release: () => Promise<void>,
  ) {
    this.#steps = createWriteStream(join(path, 'steps.csv'));
    this.#steps.write(stepsHeader);
    this.#digests = createWriteStream(join(path, 'digests.jsonl'));
    this.failed = new Promise((_, reject) => {
      this.#steps.on('error', (cause) => reject(cannotWrite(join(path, 'steps.csv'), cause)));
      this.#digests.on('error', (cause) => reject(cannotWrite(join(path, 'digests.jsonl'), cause)));
    });
    this.failed.catch(() => undefined);
  }

  /**
   * Makes and locks the directory of a new run. A run begins with its `job.json`; what an attempt left that did not
   * get so far is overwritten.
   * @throws JobError BAD_RUN_DIRECTORY when it cannot be written, is in use, or holds a run already.
   */
  static async create(path: string): Promise<RunDirectory> {
    const bad = (found: string, advice: string, cause?: unknown) =>
      new JobError(
        'BAD_RUN_DIRECTORY',
        `run directory ${path}: expected a place for a new run, got ${found}; ${advice}`,
        { cause },
      );
    try {
      await mkdir(join(path, 'checkpoints'), { recursive: true });
      await access(path, 2);
    } catch (cause) {
      throw bad((cause as Error).message, 'pass --run DIR with a directory that you may write to', cause);
    }
    const entries = await readdir(path);
    if (entries.includes('job.json')) {
      throw bad('one that holds a run already', 'pass another --run DIR');
    }
    const release = await lock(path, { stale: 15_000, update: 5_000 }).catch((cause: unknown) => {
      throw bad('one that another process is using', 'wait for that run, or pass another --run DIR', cause);
    });
    return new RunDirectory(path, release);
  }

  addStep(r: StepRecord): void {
    const loss = r.loss.toPrecision(9);
    this.#steps.write(
      `${r.step},${r.epoch},${r.samples},${loss},${r.correct},${r.learningRate},${r.durationMs.toFixed(2)},${r.workers}\n`,
    );
  }

  addDigest(entry: { epoch: number; step: number; digest: string }): void {
    this.#digests.write(`${JSON.stringify(entry)}\n`);
  }

  /** Writes a whole file durably. @throws JobError BAD_RUN_DIRECTORY; the file is as it was before. */
  async write(name: string, content: string | Uint8Array): Promise<string> {
    const path = join(this.path, name);
    await makeDirectory(dirname(path));
    await writeWhole(path, content);
    return path;
  }

  async writeJson(name: string, value: unknown): Promise<string> {
    return this.write(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Ends the growing files; they are complete on disk afterwards. @throws JobError BAD_RUN_DIRECTORY */
  async endRecords(): Promise<void> {
    for (const stream of [this.#steps, this.#digests]) {
      if (stream.writableEnded) continue;
      stream.end();
      await Promise.race([finished(stream), this.failed]);
    }
  }

  /** Gives the directory free; what went wrong with the records has been told before. */
  async close(): Promise<void> {
    await this.endRecords().catch(() => undefined);
    await this.release();
  }
}

/** The steps of a run as `steps.csv` holds them; an incomplete last line is passed over. */
export function parseSteps(csv: string): StepRecord[] {
  const lines = csv
    .slice(0, csv.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(1, -1);
  return lines.map((line) => {
    const [step, epoch, samples, loss, correct, learningRate, durationMs, workers] = line.split(',').map(Number);
    return {
      step: step!,
      epoch: epoch!,
      samples: samples!,
      loss: loss!,
      correct: correct!,
      learningRate: learningRate!,
      durationMs: durationMs!,
      workers: workers!,
    };
  });
}
