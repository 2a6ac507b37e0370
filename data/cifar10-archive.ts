import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { list, type ReadEntry } from 'tar';
import { JobError } from '../job/errors.js';
import { BATCH_FILES, checkFileSize, FOLDER, NAMES_FILE } from './cifar10-format.js';

const MAX_NAMES_BYTES = 10_000;
/** Limit of reported names of unused entries. */
const MAX_OTHERS = 1000;

/** SHA-256 of a file, hexadecimal. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Name of the dataset file that an entry contains; undefined for all other entries, including hostile paths. */
function wantedName(entry: ReadEntry): string | undefined {
  if (entry.type !== 'File') return undefined;
  const path = entry.path.replace(/^\.\//, '');
  const name = path.startsWith(`${FOLDER}/`) ? path.slice(FOLDER.length + 1) : path;
  return name === NAMES_FILE || BATCH_FILES.includes(name) ? name : undefined;
}

/**
 * Streams an archive and passes the dataset's files to `onFile`, with at most one of them in memory.
 *
 * Writes nothing to disk. Paths in the archive serve only to recognise known names, and sizes are checked before data is
 * buffered. If a file is repeated, only its first copy is used.
 * @returns paths of the unused entries, except folders.
 * @throws JobError BAD_DATA when the archive is damaged or a file has a wrong size.
 */
export async function readArchive(
  path: string,
  imagesPerFile: number,
  onFile: (name: string, bytes: Buffer) => void,
): Promise<string[]> {
  const seen = new Set<string>();
  const others: string[] = [];
  let failure: Error | undefined;
  const catchFirst = (work: () => void) => {
    try {
      if (failure === undefined) work();
    } catch (error) {
      failure = error as Error;
    }
  };
  const onReadEntry = (entry: ReadEntry) => {
    const name = wantedName(entry);
    if (name === undefined || seen.has(name)) {
      if (entry.type !== 'Directory' && others.length < MAX_OTHERS) others.push(entry.path);
      return;
    }
    seen.add(name);
    catchFirst(() => checkEntrySize(`${name} in ${path}`, name, entry.size, imagesPerFile));
    if (failure !== undefined) return;
    const chunks: Buffer[] = [];
    entry.on('data', (chunk: Buffer) => chunks.push(chunk));
    entry.on('end', () => catchFirst(() => onFile(name, Buffer.concat(chunks))));
  };
  try {
    await list({ file: path, strict: true, onReadEntry });
  } catch (cause) {
    throw new JobError(
      'BAD_DATA',
      `read archive: expected a complete .tar.gz, got ${(cause as Error).message}; ${path}; download it again`,
      { cause },
    );
  }
  if (failure !== undefined) throw failure;
  return others;
}

function checkEntrySize(where: string, name: string, bytes: number, imagesPerFile: number): void {
  if (name !== NAMES_FILE) checkFileSize(where, bytes, imagesPerFile);
  else if (bytes > MAX_NAMES_BYTES) {
    throw new JobError(
      'BAD_DATA',
      `read CIFAR-10: expected at most ${MAX_NAMES_BYTES} bytes, got ${bytes}; ${where}; copy or download it again`,
    );
  }
}
