import { createWriteStream, type WriteStream } from 'node:fs';
import { access, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { JobError } from '../job/errors.js';
import { InvariantError } from '../util/errors.js';
import type { DigestEntry, EvaluationEntry, StepRecord, RecordedHistory } from './records.js';
import { lockRun, type RunLock } from './lock/run-lock.js';
import { type CutBack, cutDigests, cutEvaluations, cutSteps, formatLine, formatStep } from './record-format.js';
import { asideEnding, cannotWrite, isDiskFull, makeDirectory, makeParents, writeWhole } from './write-file.js';

/** Records found at a start, split at its checkpoint. */
export interface RecordsSoFar {
  readonly steps: CutBack<StepRecord>;
  readonly digests: CutBack<DigestEntry>;
  readonly evaluations: CutBack<EvaluationEntry>;
}

interface Streams {
  readonly steps: WriteStream;
  readonly digests: WriteStream;
  readonly evaluations: WriteStream;
}

const rowsDelayMs = 200;

/** Writer of a run's files. Holds the lock; replaces files atomically, except for the record files, which it appends to. */
export class RunDirectory {
  #lock: RunLock | undefined;
  #streams: Streams | undefined;
  /** Rows of steps.csv that aren't written yet. */
  #rows = '';
  #rowsTimer: NodeJS.Timeout | undefined;
  /** Pending writes of `replaceSoon`; never rejects. */
  #soon = Promise.resolve();
  /** Rejects when a record cannot be written, as on a full disk, or the lock is lost; the run must stop then. */
  readonly failed: Promise<never>;
  #fail!: (error: Error) => void;

  private constructor(readonly path: string) {
    this.failed = new Promise((_, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
  }

  /**
   * Creates a run's directory, or opens an existing one, and locks it.
   * @param onWaiting - called with the reason while another process holds the lock.
   * @throws JobError BAD_RUN_DIRECTORY when it cannot be written or is in use.
   */
  static async open(path: string, onWaiting: (reason: string) => void = () => undefined): Promise<RunDirectory> {
    const directory = new RunDirectory(path);
    try {
      await makeParents(join(path, 'checkpoints'));
      await access(path, 2);
    } catch (cause) {
      if (isDiskFull(cause)) throw cannotWrite(path, cause);
      const advice = 'pass --run DIR with a directory that you may write to';
      const found = (cause as Error).message;
      throw new JobError(
        'BAD_RUN_DIRECTORY',
        `run directory ${path}: expected a writable directory, got ${found}; ${advice}`,
        {
          cause,
        },
      );
    }
    const lost = (cause: Error) => {
      const message = `run directory ${path}: expected to keep its lock, got ${cause.message}; another process may be using it`;
      directory.#fail(new JobError('BAD_RUN_DIRECTORY', message, { cause }));
    };
    directory.#lock = await lockRun(path, onWaiting, lost);
    return directory;
  }

  /** The content of a file; undefined if it doesn't exist. */
  async read(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.path, name), 'utf8');
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw cause;
    }
  }

  async readBytes(name: string): Promise<Uint8Array> {
    return readFile(join(this.path, name));
  }

  /** Names of the checkpoint files. Removes incomplete files of a killed writer. */
  async listCheckpoints(): Promise<string[]> {
    const folder = join(this.path, 'checkpoints');
    const names = await readdir(folder);
    const unfinished = names.filter((name) => name.endsWith(asideEnding));
    await Promise.all(unfinished.map((name) => rm(join(folder, name), { force: true })));
    return names.filter((name) => !unfinished.includes(name));
  }

  /** Records up to the state after `step` updates; may be called while more are added. */
  async recordsUpTo(step: number): Promise<RecordedHistory> {
    const { steps, digests, evaluations } = await this.#readRecords(step);
    return { steps: steps.kept, digests: digests.kept, evaluations: evaluations.kept };
  }

  /** Cuts the record files back to the state after `step` updates, and opens them; called once. */
  async beginRecords(step: number): Promise<RecordsSoFar> {
    const { steps, digests, evaluations } = await this.#readRecords(step);
    this.#streams = {
      steps: await this.#append('steps.csv', steps.text),
      digests: await this.#append('digests.jsonl', digests.text),
      evaluations: await this.#append('evaluations.jsonl', evaluations.text),
    };
    return { steps, digests, evaluations };
  }

  /** Adds a row, which is written a moment later together with its successors, because each write wakes other threads. */
  addStep(record: StepRecord): void {
    const { steps } = this.#open;
    this.#rows += formatStep(record);
    this.#rowsTimer ??= setTimeout(() => this.#writeRows(steps), rowsDelayMs);
  }

  addDigest(entry: DigestEntry): void {
    this.#open.digests.write(formatLine(entry));
  }

  addEvaluation(entry: EvaluationEntry): void {
    this.#open.evaluations.write(formatLine(entry));
  }

  /** Writes a whole file durably. @throws JobError BAD_RUN_DIRECTORY; an older file is untouched. */
  async write(name: string, content: string | Uint8Array | readonly Uint8Array[]): Promise<string> {
    const path = join(this.path, name);
    await makeDirectory(dirname(path));
    await writeWhole(path, content);
    return path;
  }

  async writeJson(name: string, value: unknown): Promise<string> {
    return this.write(name, `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Writes a whole file in the background, in order of calls; a failure rejects `failed`. */
  replaceSoon(name: string, content: string): void {
    this.#soon = this.#soon
      .then(() => this.write(name, content))
      .then(
        () => undefined,
        (error: Error) => this.#fail(error),
      );
  }

  /** Makes the records so far durable. @throws JobError BAD_RUN_DIRECTORY */
  async flushRecords(): Promise<void> {
    this.#writeRows(this.#open.steps);
    await Promise.race([Promise.all(Object.values(this.#open).map(flush)), this.failed]);
  }

  /** Completes and closes the record files. @throws JobError BAD_RUN_DIRECTORY */
  async endRecords(): Promise<void> {
    await this.#soon;
    if (!this.#streams) return;
    const { steps, digests, evaluations } = this.#streams;
    this.#writeRows(steps);
    for (const stream of [steps, digests, evaluations]) {
      if (stream.writableEnded) continue;
      stream.end();
      await Promise.race([finished(stream), this.failed]);
    }
  }

  /** Releases the lock. Errors of the records have been reported before. */
  async close(): Promise<void> {
    await this.endRecords().catch(() => undefined);
    await this.#lock?.release();
  }

  #writeRows(steps: WriteStream): void {
    clearTimeout(this.#rowsTimer);
    this.#rowsTimer = undefined;
    if (this.#rows !== '') steps.write(this.#rows);
    this.#rows = '';
  }

  get #open(): Streams {
    if (!this.#streams) throw new InvariantError('a record was added before the record files were opened');
    return this.#streams;
  }

  async #readRecords(step: number): Promise<RecordsSoFar> {
    const text = async (name: string) => (await this.read(name)) ?? '';
    return {
      steps: cutSteps(await text('steps.csv'), step),
      digests: cutDigests(await text('digests.jsonl'), step),
      evaluations: cutEvaluations(await text('evaluations.jsonl'), step),
    };
  }

  async #append(name: string, text: string): Promise<WriteStream> {
    const path = await this.write(name, text);
    const stream = createWriteStream(path, { flags: 'a' });
    stream.on('error', (cause) => this.#fail(cannotWrite(path, cause)));
    return stream;
  }
}

/** Makes everything written to `stream` so far durable. */
async function flush(stream: WriteStream): Promise<void> {
  await new Promise<void>((resolve, reject) => stream.write('', (error) => (error ? reject(error) : resolve())));
  const file = await open(stream.path, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}
