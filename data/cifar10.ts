import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { JobError } from '../job/errors.js';
import { describeFailure, isPermanent } from './read-errors.js';
import {
  ARCHIVE_NAME,
  BATCH_FILES,
  checkFileSize,
  CLASSES,
  IMAGE_BYTES,
  IMAGES_PER_FILE,
  NAMES_FILE,
  parseClassNames,
  TEST_FILE,
  TRAIN_FILES,
} from './cifar10-format.js';
import { BatchFileReader } from './cifar10-file.js';
import { unpackBatch } from './cifar10-records.js';
import { decideTitle, type Evidence, type Marker, MARKER_NAME, markerSchema } from './cifar10-title.js';
import type { Dataset, Split } from './dataset.js';
import type { FoundData } from './locate.js';
import { recogniseVersion } from './recognise.js';
import { isHidden, printable } from './set-names.js';

/** Statistics of the training set per channel, on 0..1. Constants, because they affect results. */
const NORMALISE = { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.243, 0.261] };

export interface ReadOptions {
  /** Records in every batch file; default: 10,000. */
  readonly imagesPerFile?: number;
}

interface Contents {
  readonly train: Split;
  readonly test: Split;
  readonly classes: readonly string[];
  readonly evidence: Evidence;
  /** Names of unused files. */
  readonly others: readonly string[];
}

/** Expected files that aren't used. */
const knownOthers = ['readme.html', MARKER_NAME, ARCHIVE_NAME];

/**
 * Reads CIFAR-10's binary version into memory from a directory or an archive.
 * @throws JobError BAD_DATA that names file and record: missing files (all of them), a wrong size, a label over 9, a
 * damaged archive.
 */
export async function readCifar10(found: FoundData, options: ReadOptions = {}): Promise<Dataset> {
  const imagesPerFile = options.imagesPerFile ?? IMAGES_PER_FILE;
  const read = found.kind === 'archive' ? readFromArchive : readFromDirectory;
  const { train, test, classes, evidence, others } = await read(found.path, imagesPerFile);
  const { title, reason } = decideTitle(evidence);
  return {
    name: 'cifar10',
    title,
    origin: `${found.path} (${reason})`,
    notes: describeOthers(others),
    synthetic: false,
    classes,
    imageShape: [32, 32, 3],
    normalise: NORMALISE,
    trainBatches: TRAIN_FILES.map(() => imagesPerFile),
    train,
    test,
  };
}

function describeOthers(others: readonly string[]): string[] {
  const unknown = others.filter((path) => !knownOthers.includes(basename(path)) && !isHidden(basename(path)));
  const [some, more] = [unknown.slice(0, 6), unknown.length - 6];
  return some.length === 0 ? [] : [`not used: ${some.map(printable).join(', ')}${more > 0 ? ` and ${more} more` : ''}`];
}

/** Arrays for both splits; `place` returns the range of a batch file in them. */
function allocate(imagesPerFile: number) {
  const split = (files: number): Split => ({
    count: files * imagesPerFile,
    labels: new Uint8Array(files * imagesPerFile),
    images: new Uint8Array(files * imagesPerFile * IMAGE_BYTES),
  });
  const train = split(TRAIN_FILES.length);
  const test = split(1);
  const place = (name: string) => {
    const { labels, images } = name === TEST_FILE ? test : train;
    const start = name === TEST_FILE ? 0 : TRAIN_FILES.indexOf(name) * imagesPerFile;
    const end = start + imagesPerFile;
    return { labels: labels.subarray(start, end), images: images.subarray(start * IMAGE_BYTES, end * IMAGE_BYTES) };
  };
  return { train, test, place };
}

async function readFromDirectory(directory: string, imagesPerFile: number): Promise<Contents> {
  await checkFiles(directory, imagesPerFile);
  const { train, test, place } = allocate(imagesPerFile);
  const marker = await readMarker(directory);
  const sha256: Record<string, string> = {};
  const reader = new BatchFileReader();
  for (const name of BATCH_FILES) {
    const hash = marker !== undefined || name === TRAIN_FILES[0] ? createHash('sha256') : undefined;
    await reader.read(join(directory, name), place(name), hash).catch((cause: Error) => {
      throw unreadable(join(directory, name), cause);
    });
    if (hash) sha256[name] = hash.digest('hex');
  }
  const classes = await readClassNames(join(directory, NAMES_FILE));
  const others = (await readdir(directory)).filter((name) => name !== NAMES_FILE && !BATCH_FILES.includes(name));
  return { train, test, classes, evidence: marker === undefined ? { sha256 } : { marker, sha256 }, others };
}

async function readFromArchive(path: string, imagesPerFile: number): Promise<Contents> {
  const { fileSha256, readArchive } = await import('./cifar10-archive.js');
  const { train, test, place } = allocate(imagesPerFile);
  const sha256: Record<string, string> = {};
  let classes = CLASSES;
  const others = await readArchive(path, imagesPerFile, (name, bytes) => {
    const where = `${name} in ${path}`;
    if (name === NAMES_FILE) {
      classes = parseClassNames(where, bytes.toString('utf8'));
      return;
    }
    unpackBatch(where, bytes, place(name));
    sha256[name] = createHash('sha256').update(bytes).digest('hex');
  });
  const missing = BATCH_FILES.filter((name) => sha256[name] === undefined);
  if (missing.length > 0) throw otherVersion(path, others) ?? missingFiles(path, missing);
  return { train, test, classes, evidence: { archiveSha256: await fileSha256(path), sha256 }, others };
}

/** Error for an unreadable file: BAD_DATA for missing permission, but not for a failing disk. */
function unreadable(path: string, cause: NodeJS.ErrnoException): Error {
  if (!isPermanent(cause)) return cause;
  const message = `read CIFAR-10: expected a readable file, got ${describeFailure(cause)}; ${path}; make it readable`;
  return new JobError('BAD_DATA', message, { cause });
}

/** Checks for missing files and wrong sizes before any file is read. */
async function checkFiles(directory: string, imagesPerFile: number): Promise<void> {
  const sizes = await Promise.all(
    BATCH_FILES.map((name) =>
      stat(join(directory, name)).then(
        (info) => info.size,
        () => undefined,
      ),
    ),
  );
  const missing = BATCH_FILES.filter((_, k) => sizes[k] === undefined);
  if (missing.length > 0) throw missingFiles(directory, missing);
  BATCH_FILES.forEach((name, k) => checkFileSize(join(directory, name), sizes[k]!, imagesPerFile));
}

/** Error for an archive of another version of CIFAR; undefined if it isn't one. */
function otherVersion(path: string, names: readonly string[]): JobError | undefined {
  const version = recogniseVersion(names.map((name) => basename(name)));
  if (!version) return undefined;
  const message = `read CIFAR-10: expected the binary version, got ${version.found}; ${path}; ${version.advice}`;
  return new JobError('BAD_DATA', message);
}

function missingFiles(where: string, missing: readonly string[]): JobError {
  return new JobError(
    'BAD_DATA',
    `read CIFAR-10: expected ${BATCH_FILES.length} batch files, got ${BATCH_FILES.length - missing.length}; ` +
      `${where} lacks ${missing.join(', ')}; copy them, or download all to another directory: lockstep data download --to DIR`,
  );
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readClassNames(path: string): Promise<readonly string[]> {
  const text = await readIfPresent(path);
  return text === undefined ? CLASSES : parseClassNames(path, text);
}

/** Marker in a directory. An invalid marker proves nothing and is ignored. */
async function readMarker(directory: string): Promise<Marker | undefined> {
  const text = await readIfPresent(join(directory, MARKER_NAME));
  if (text === undefined) return undefined;
  try {
    return markerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
