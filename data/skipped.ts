import { extname } from 'node:path';
import { printable } from './set-names.js';

/** Reason for skipping an entry of a folder. */
export type SkipReason = 'type' | 'hidden' | 'outside' | 'special' | 'broken link' | 'repeated';

/** A skipped entry of a folder. */
export interface Skipped {
  readonly reason: SkipReason;
  /** Relative to the folder, with `/`; ends in `/` for a folder. */
  readonly path: string;
  /** The class folder around it, in the same form; undefined outside class folders. */
  readonly folder?: string;
}

/** Names or types listed on one line. */
const listed = 6;

/** One line per reason, with counts; empty if nothing was skipped. */
export function describeSkipped(all: readonly Skipped[]): string[] {
  return reasons.flatMap(({ reason, describe }) => {
    const entries = all.filter((entry) => entry.reason === reason);
    const folders = new Set(entries.flatMap(({ folder }) => (folder === undefined ? [] : [`${folder}/`])));
    const places = folders.size === 0 ? '' : `; in ${some([...folders])}`;
    return entries.length === 0 ? [] : [`skipped: ${describe(entries.map(({ path }) => path))}${places}`];
  });
}

const reasons: readonly { readonly reason: SkipReason; readonly describe: (paths: readonly string[]) => string }[] = [
  {
    reason: 'type',
    describe: (paths) => `${count(paths.length, 'file')} of unsupported types: ${counted(paths.map(typeOf))}`,
  },
  {
    reason: 'hidden',
    describe: (paths) => `${countEntries(paths)}, hidden or system files: ${counted(paths.map(lastName))}`,
  },
  { reason: 'outside', describe: (paths) => `${countEntries(paths)} outside class folders: ${some(paths)}` },
  { reason: 'special', describe: (paths) => `${countEntries(paths)}, neither files nor folders: ${some(paths)}` },
  { reason: 'broken link', describe: (paths) => `${count(paths.length, 'broken symbolic link')}: ${some(paths)}` },
  {
    reason: 'repeated',
    describe: (paths) => `${count(paths.length, 'symbolic link')} to folders already read: ${some(paths)}`,
  },
];

function typeOf(path: string): string {
  return extname(path).slice(1).toLowerCase() || 'without an extension';
}

function lastName(path: string): string {
  return path.replace(/^.*\/(?=.)/, '');
}

/** Distinct values with their counts, the most frequent first: `15 webp, 2 gif`. */
function counted(values: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const ranked = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  return some(ranked.map(([value, n]) => `${n} ${value}`));
}

function some(values: readonly string[]): string {
  const more = values.length - listed;
  return [...values.slice(0, listed).map(printable), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function countEntries(paths: readonly string[]): string {
  return paths.length === 1 ? '1 entry' : `${paths.length} entries`;
}

function count(n: number, thing: string): string {
  return `${n} ${thing}${n === 1 ? '' : 's'}`;
}
