import { type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { badFolder, describeFailure, isPermanent } from './read-errors.js';
import type { SkipReason } from './skipped.js';
import { isHidden } from './set-names.js';

/** Contents of a folder; links are followed. */
export interface FolderEntries {
  readonly folders: readonly { readonly name: string; readonly isLink: boolean }[];
  readonly images: readonly string[];
  readonly others: readonly { readonly name: string; readonly reason: SkipReason }[];
}

const imageName = /\.(png|jpe?g)$/i;

/** Lists a folder, sorted by code units. @throws JobError BAD_DATA if it can't be read. */
export async function entriesOf(folder: string): Promise<FolderEntries> {
  const found = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (!isPermanent(error)) throw error;
    const advice =
      error.code === 'ENOTDIR' ? 'pass a folder; unpack it first if it is an archive' : 'pass another folder';
    throw badFolder(folder, 'a readable folder', describeFailure(error), { advice, cause: error });
  });
  const folders: FolderEntries['folders'][number][] = [];
  const images: string[] = [];
  const others: FolderEntries['others'][number][] = [];
  for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const { name } = entry;
    const kind = await kindOf(folder, entry);
    if (kind === 'folder') folders.push({ name, isLink: entry.isSymbolicLink() });
    else if (kind === 'image') images.push(name);
    else others.push({ name: kind === 'hidden' && entry.isDirectory() ? `${name}/` : name, reason: kind });
  }
  return { folders, images, others };
}

async function kindOf(folder: string, entry: Dirent): Promise<'folder' | 'image' | SkipReason> {
  if (isHidden(entry.name)) return 'hidden';
  const target = entry.isSymbolicLink() ? await stat(join(folder, entry.name)).catch(() => undefined) : entry;
  if (target === undefined) return 'broken link';
  if (target.isDirectory()) return 'folder';
  if (!target.isFile()) return 'special';
  return imageName.test(entry.name) ? 'image' : 'type';
}
