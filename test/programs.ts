import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of `names` found in PATH or in one of `elsewhere`; undefined if none is. */
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

/**
 * Folder in whose `node_modules` TF.js's native binding is, from `test/engine/build-tfjs-node.sh`; undefined if there
 * is none.
 */
export const tensorflowDirectory = process.env['LOCKSTEP_TFJS_NODE'];

const chromium = '/usr/lib/chromium';

/**
 * Environment in which a process finds SwiftShader, a Vulkan GPU in software from Debian's chromium package; undefined
 * if it isn't installed. The dynamic loader reads it when the process starts.
 */
export const softwareGpu = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'].every((file) =>
  existsSync(join(chromium, file)),
)
  ? { LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: join(chromium, 'vk_swiftshader_icd.json') }
  : undefined;
