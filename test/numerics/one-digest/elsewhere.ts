import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serialize } from 'node:v8';
import { buildSync } from 'esbuild';
import type { InstructionSet } from '../../../engine/engine.js';
import type { Prepared } from './prepare.js';
import type { RunnerReport } from './runner.js';

const prebuilt = fileURLToPath(new URL('../../../engine/native/prebuilt/', import.meta.url));
/** Of one process; a test with one or two of them needs `testLimitMs`. */
const limitMs = 200_000;
export const testLimitMs = 410_000;

export interface Elsewhere {
  /** Node.js with the words before it, such as those of an emulator. */
  readonly node: readonly [string, ...string[]];
  readonly subjects: readonly Prepared[];
  readonly threads: readonly number[];
  /** Default: the one that the engine chooses. */
  readonly isa?: InstructionSet;
}

/** Computes digests in other processes, under any Node.js. */
export class Runner {
  readonly #script: string;
  #runs = 0;

  /** @param scratch - folder for its files */
  constructor(private readonly scratch: string) {
    this.#script = join(scratch, 'runner.mjs');
    // One file without TF.js: emulators take long to load modules.
    buildSync({
      ...{ entryPoints: [fileURLToPath(new URL('./runner.ts', import.meta.url))], outfile: this.#script },
      ...{ bundle: true, external: ['@tensorflow/*'], platform: 'node', format: 'esm', target: 'node20' },
      logLevel: 'warning',
    });
  }

  async run({ node, subjects, threads, isa }: Elsewhere): Promise<RunnerReport> {
    const file = join(this.scratch, `subjects-${this.#runs++}`);
    writeFileSync(file, serialize(subjects));
    const [program, ...first] = node;
    const args = [...first, this.#script, file, prebuilt, threads.join(), ...(isa === undefined ? [] : [isa])];
    const { stdout } = await promisify(execFile)(program, args, { encoding: 'utf8', timeout: limitMs });
    return JSON.parse(stdout) as RunnerReport;
  }
}
