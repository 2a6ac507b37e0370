import type { JobManifest } from '../job/manifest.js';
import type { RunRecord } from './previous-run.js';
import type { RunDirectory } from './run-directory.js';

/** `run.json`: what a run computes with, how often it was started, and in the end how it went. */
export class RunJson {
  #content: Record<string, unknown>;
  #written: Promise<void> = Promise.resolve();

  constructor(
    private readonly directory: RunDirectory,
    manifest: JobManifest,
    record: Omit<Partial<RunRecord>, 'outcome'>,
  ) {
    const { title, synthetic, classes, digest } = manifest.dataset;
    this.#content = {
      outcome: 'running',
      job: manifest.digest,
      dataset: { title, synthetic, classes, digest },
      coordinator: { node: process.version, platform: process.platform, arch: process.arch },
      ...record,
    };
  }

  /** Changes fields; durable when it settles. Calls are carried out in order. @throws JobError BAD_RUN_DIRECTORY */
  update(fields: object): Promise<void> {
    this.#content = { ...this.#content, ...fields };
    const content = this.#content;
    const write = async () => void (await this.directory.writeJson('run.json', content));
    this.#written = this.#written.then(write, write);
    return this.#written;
  }
}
