import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of `names` that is in PATH, or in one of `elsewhere`; undefined where none is. */
export function findProgram(names: readonly string[], elsewhere: readonly string[] = []): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...elsewhere];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Folder in whose `node_modules` TF.js's native binding is, by `test/engine/build-tfjs-node.sh`; undefined: nowhere. */
export const tensorflowDirectory = process.env['LOCKSTEP_TFJS_NODE'];
