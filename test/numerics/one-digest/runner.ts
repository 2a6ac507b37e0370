import { readFileSync } from 'node:fs';
import { deserialize } from 'node:v8';
import type { InstructionSet } from '../../../engine/engine.js';
import { loadNative } from '../../../engine/native/load/load.js';
import { vectorsOf } from '../../../engine/native/vectors.js';
import { digestOf } from './compute.js';
import type { Prepared } from './prepare.js';

/**
 * Prints a `RunnerReport` as JSON. Arguments: file of serialized `Prepared[]`, folder of the prebuilt files, threads
 * (as in `1,2`), instruction set (optional).
 */
export interface RunnerReport {
  readonly node: string;
  readonly arch: string;
  readonly isa: InstructionSet;
  /** Reason for the instruction set. */
  readonly reason: string;
  /** Digests by name, for each number of threads. */
  readonly digests: readonly Readonly<Record<string, string>>[];
}

const [, , file, folder, threads, isa] = process.argv as (string | undefined)[];
const subjects = deserialize(readFileSync(file!)) as Prepared[];
const runtime = loadNative(isa as InstructionSet | undefined, folder);
const vectors = runtime.vectors && vectorsOf(runtime.vectors);
const report: RunnerReport = {
  node: process.version,
  arch: process.arch,
  isa: runtime.isa,
  reason: runtime.reason,
  digests: threads!.split(',').map((count) => {
    const target = { runtime, threads: Number(count), vectors };
    return Object.fromEntries(subjects.map((subject) => [subject.name, digestOf(target, subject)]));
  }),
};
console.log(JSON.stringify(report));
