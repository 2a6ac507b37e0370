import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest } from '../job/manifest.js';
import type { DigestEntry, EvaluationEntry } from './records.js';
import { parseLines, parseSteps } from './record-format.js';
import { parseRunRecord } from './run-json.js';

const parsers = {
  'job.json': parseManifest,
  'run.json': parseRunRecord,
  'steps.csv': parseSteps,
  'digests.jsonl': parseLines<DigestEntry>,
  'evaluations.jsonl': parseLines<EvaluationEntry>,
};

/**
 * Reads a file of a run without locking its directory; the run may be in progress.
 * @throws the system's error if the file is missing, or its parser's if it is damaged.
 */
export async function readRunFile<Name extends keyof typeof parsers>(run: string, name: Name) {
  const text = await readFile(join(run, name), 'utf8');
  return parsers[name](text) as ReturnType<(typeof parsers)[Name]>;
}
