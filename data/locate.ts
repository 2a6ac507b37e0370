import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ARCHIVE_NAME, BATCH_FILES, FOLDER } from './cifar10-format.js';

/** Location of CIFAR-10: a directory that directly contains batch files, or an archive. */
export interface FoundData {
  readonly kind: 'directory' | 'archive';
  readonly path: string;
}

/** A location to search. */
export interface Candidate {
  /** `--data`, `LOCKSTEP_DATA`, `./data` or `cache directory`. */
  readonly origin: string;
  readonly path: string;
  /** True if given by the user, which excludes all other locations. */
  readonly explicit: boolean;
}

export interface Inspected extends Candidate {
  readonly found: FoundData | undefined;
}

export type SourceDecision =
  | { readonly kind: 'read'; readonly found: FoundData; readonly reason: string }
  /** An explicit location without data: an error, because another source would silently change the result. */
  | { readonly kind: 'wrong-location'; readonly origin: string; readonly path: string }
  | { readonly kind: 'download'; readonly reason: string };

/** Locations to search, in order. An explicit location is the only one; `--data` takes precedence over `LOCKSTEP_DATA`. */
export function candidates(places: { path?: string; envPath?: string; cwd: string; cache: string }): Candidate[] {
  const { path, envPath, cwd, cache } = places;
  if (path !== undefined) return [{ origin: '--data', path: resolve(cwd, path), explicit: true }];
  if (envPath !== undefined && envPath !== '') {
    return [{ origin: 'LOCKSTEP_DATA', path: resolve(cwd, envPath), explicit: true }];
  }
  return [
    { origin: './data', path: join(cwd, 'data'), explicit: false },
    { origin: 'cache directory', path: cache, explicit: false },
  ];
}

/** Chooses the first location with data, or the download if there is none and no location is explicit. */
export function decideSource(inspected: readonly Inspected[]): SourceDecision {
  for (const { origin, path, explicit, found } of inspected) {
    if (found !== undefined) return { kind: 'read', found, reason: `${origin}: ${found.path}` };
    if (explicit) return { kind: 'wrong-location', origin, path };
  }
  const searched = inspected.map(({ origin, path }) => `${origin}: ${path}`).join(', ');
  return { kind: 'download', reason: `no CIFAR-10 files found in ${searched}` };
}

/**
 * Finds CIFAR-10 at a path: an archive by its name; a directory with at least one batch file, directly or in
 * `cifar-10-batches-bin`; or the official archive in a directory. Completeness is checked on reading.
 */
export async function findData(path: string): Promise<FoundData | undefined> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile()) return /\.(tar\.gz|tgz)$/.test(path) ? { kind: 'archive', path } : undefined;
  if (!info?.isDirectory()) return undefined;
  for (const directory of [path, join(path, FOLDER)]) {
    const names = await readdir(directory).catch((): string[] => []);
    if (names.some((name) => BATCH_FILES.includes(name))) return { kind: 'directory', path: directory };
  }
  return findData(join(path, ARCHIVE_NAME));
}

/** Searches every candidate without reading data. */
export async function inspect(places: readonly Candidate[]): Promise<Inspected[]> {
  return Promise.all(places.map(async (place) => ({ ...place, found: await findData(place.path) })));
}
