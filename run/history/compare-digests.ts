import { JobError } from '../../job/errors.js';
import { digestedDifferences } from '../../job/job-digest.js';
import type { JobManifest } from '../../job/manifest.js';
import type { DigestEntry } from '../records.js';
import { readRunFile } from '../run-files.js';

/** The digest chain of a run, complete or not. */
export interface RecordedRun {
  readonly path: string;
  readonly manifest: JobManifest;
  /** The chain, one entry per complete epoch. */
  readonly digests: readonly DigestEntry[];
}

/** @throws JobError BAD_RUN_DIRECTORY when there is no run at `path`. */
export async function readRecordedRun(path: string): Promise<RecordedRun> {
  const read = <Name extends 'job.json' | 'digests.jsonl'>(name: Name) =>
    readRunFile(path, name).catch((cause: Error) => {
      const message = `verify ${path}: expected the directory of a run, got ${cause.message}`;
      throw new JobError('BAD_RUN_DIRECTORY', message, { cause });
    });
  return { path, manifest: await read('job.json'), digests: await read('digests.jsonl') };
}

/** Result of comparing two digest chains: equal over their common epochs, or different from an epoch on. */
export type Comparison =
  | { readonly outcome: 'equal'; readonly epochs: number; readonly digest: string }
  | { readonly outcome: 'different'; readonly epoch: number; readonly a: string; readonly b: string }
  | { readonly outcome: 'nothing to compare' };

/** Compares two chains epoch by epoch. Each entry covers all before it, so the first that differs shows the epoch. */
export function compareDigests(a: readonly DigestEntry[], b: readonly DigestEntry[]): Comparison {
  const ofB = new Map(b.map(({ epoch, digest }) => [epoch, digest]));
  const shared = a.filter(({ epoch }) => ofB.has(epoch));
  const last = shared.at(-1);
  if (!last) return { outcome: 'nothing to compare' };
  const first = shared.find(({ epoch, digest }) => ofB.get(epoch) !== digest);
  if (!first) return { outcome: 'equal', epochs: last.epoch, digest: last.digest };
  return { outcome: 'different', epoch: first.epoch, a: first.digest, b: ofB.get(first.epoch)! };
}

/** Compares two runs over their common epochs. @returns true if all their bits are equal, and the result in words. */
export function compareRuns(a: RecordedRun, b: RecordedRun): { readonly equal: boolean; readonly text: string } {
  if (a.manifest.digest !== b.manifest.digest) return { equal: false, text: describeOtherJob(a, b) };
  const comparison = compareDigests(a.digests, b.digests);
  switch (comparison.outcome) {
    case 'equal': {
      const { epochs, digest } = comparison;
      const more = a.digests.length === b.digests.length ? '' : `; ${describeLength(a)}, ${describeLength(b)}`;
      return { equal: true, text: `equal: epochs 1 to ${epochs}, digest ${digest}${more}` };
    }
    case 'different': {
      const { epoch, a: ofA, b: ofB } = comparison;
      const text = `different from epoch ${epoch} on\n  ${a.path}: ${ofA}\n  ${b.path}: ${ofB}`;
      return { equal: false, text };
    }
    case 'nothing to compare':
      return {
        equal: false,
        text: `nothing to compare: expected an epoch in both runs, got ${describeLength(a)}, ${describeLength(b)}`,
      };
    default:
      return comparison satisfies never;
  }
}

function describeLength({ path, digests }: RecordedRun): string {
  return `${path} has ${digests.length}`;
}

function describeOtherJob(a: RecordedRun, b: RecordedRun): string {
  const fields = digestedDifferences(a.manifest.spec, b.manifest.spec).map(
    ({ path, before, after }) => `  ${path}: ${JSON.stringify(before)} and ${JSON.stringify(after)}`,
  );
  const [ofA, ofB] = [a.manifest.arithmetic, b.manifest.arithmetic];
  if (ofA !== null && ofB !== null && ofA !== ofB) fields.push(`  arithmetic: ${ofA} and ${ofB}`);
  if (a.manifest.dataset.digest !== b.manifest.dataset.digest) {
    fields.push(`  dataset: ${a.manifest.dataset.title} and ${b.manifest.dataset.title}, which differ in content`);
  }
  return ['different jobs', ...fields].join('\n');
}
