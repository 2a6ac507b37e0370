import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ARCHIVE_NAME, BATCH_FILES, FOLDER } from './cifar10-format.js';

/** Something to read CIFAR-10 from: a directory that holds batch files itself, or an archive. */
export interface FoundData {
  readonly kind: 'directory' | 'archive';
  readonly path: string;
}

/** A place to look at. */
export interface Candidate {
  /** Who names it: `--data`, `LOCKSTEP_DATA`, `./data`, `cache directory`. */
  readonly origin: string;
  readonly path: string;
  /** The user asked for this place, so no other one will do. */
  readonly explicit: boolean;
}

export interface Inspected extends Candidate {
  readonly found: FoundData | undefined;
}

export type SourceDecision =
  | { readonly kind: 'read'; readonly found: FoundData; readonly reason: string }
  /** An explicit place holds nothing: an error, because another source would silently change the result. */
  | { readonly kind: 'wrong-place'; readonly origin: string; readonly path: string }
  | { readonly kind: 'download'; readonly reason: string };

/** Where to look, in order. An explicit place is the only one; `--data` goes before `LOCKSTEP_DATA`. */
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

/** The first place that holds data; the download where none does and none was asked for. */
export function decideSource(inspected: readonly Inspected[]): SourceDecision {
  for (const { origin, path, explicit, found } of inspected) {
    if (found !== undefined) return { kind: 'read', found, reason: `${origin}: ${found.path}` };
    if (explicit) return { kind: 'wrong-place', origin, path };
  }
  const places = inspected.map(({ origin, path }) => `${origin}: ${path}`).join(', ');
  return { kind: 'download', reason: `nothing of CIFAR-10 in ${places}` };
}

/**
 * What a path offers: an archive by its name, or a directory with at least one batch file in it or in its
 * `cifar-10-batches-bin`, or with the official archive in it. Whether it is complete shows when it is read.
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

/** Looks at every candidate, without reading data. */
export async function inspect(places: readonly Candidate[]): Promise<Inspected[]> {
  return Promise.all(places.map(async (place) => ({ ...place, found: await findData(place.path) })));
}
