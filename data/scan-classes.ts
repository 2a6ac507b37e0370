import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { badFolder } from './read-errors.js';
import { type FolderEntries, entriesOf } from './folder-entries.js';
import { listNames } from './folder-layout.js';
import type { LabelledFile } from './folder-order.js';
import type { Skipped } from './skipped.js';
import { roleOf } from './set-names.js';

/** A class folder of one set. */
export interface ClassFolder {
  /** Relative to the image folder, with `/`. */
  readonly path: string;
  readonly label: number;
  readonly isLink: boolean;
}

/** A folder to list, inside the class folder `top`. */
interface Visit extends ClassFolder {
  readonly top: string;
}

/**
 * Lists the images at any depth below class folders. Links are followed last, and no folder is read twice, so cycles end
 * and every image has one class.
 * @param seen - real paths of folders already read and of their parents; appended to.
 */
export async function scanClasses(
  root: string,
  classes: readonly ClassFolder[],
  seen: Set<string>,
): Promise<{ readonly files: LabelledFile[]; readonly skipped: Skipped[] }> {
  const files: LabelledFile[] = [];
  const skipped: Skipped[] = [];
  let links: Visit[] = [];
  const visit = async (folder: Visit): Promise<void> => {
    const { label, top } = folder;
    const real = await realpath(join(root, folder.path));
    if (seen.has(real)) return void skipped.push({ reason: 'repeated', path: folder.path, folder: top });
    seen.add(real);
    const { folders, images, others } = await entriesOf(join(root, folder.path));
    checkUndivided(join(root, folder.path), folders);
    const inside = (name: string) => `${folder.path}/${name}`;
    for (const name of images) files.push({ path: inside(name), label });
    for (const { name, reason } of others) skipped.push({ reason, path: inside(name), folder: top });
    await visitAll(folders.map(({ name, isLink }) => ({ path: inside(name), label, isLink, top })));
  };
  const visitAll = async (folders: readonly Visit[]): Promise<void> => {
    links.push(...folders.filter(({ isLink }) => isLink));
    for (const folder of folders) if (!folder.isLink) await visit(folder);
  };
  await visitAll(classes.map((folder) => ({ ...folder, top: folder.path })));
  while (links.length > 0) {
    const next = links;
    links = [];
    for (const folder of next) await visit(folder);
  }
  return { files, skipped };
}

/** Rejects a training and a test set inside a class, which would be mixed. @throws JobError BAD_DATA */
function checkUndivided(path: string, folders: FolderEntries['folders']): void {
  const named = folders.map(({ name }) => name).filter((name) => roleOf(name) !== undefined);
  const roles = new Set(named.map(roleOf));
  if (!roles.has('train') || roles.size < 2) return;
  throw badFolder(path, 'images of one class', `${listNames(named.map((name) => `${name}/`))}, which look like sets`, {
    advice: 'sort the images into train/CLASS/ and test/CLASS/, or rename these folders',
  });
}

/** Entries of an image folder or a set that belong to no class. */
export function outsideClasses(prefix: string, { images, others }: FolderEntries): Skipped[] {
  const at = (name: string) => (prefix === '' ? name : `${prefix}/${name}`);
  return [
    ...images.map((name): Skipped => ({ reason: 'outside', path: at(name) })),
    ...others.map(({ name, reason }): Skipped => ({ reason: reason === 'type' ? 'outside' : reason, path: at(name) })),
  ];
}
