import { accessSync, constants, existsSync } from 'node:fs';
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

const chromium = '/usr/lib/chromium';

/**
 * Environment in which a process finds SwiftShader, a Vulkan GPU in software, that Debian's chromium package brings;
 * undefined where it is not installed. The loader of libraries reads it when the process starts.
 */
export const softwareGpu = ['libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'].every((file) =>
  existsSync(join(chromium, file)),
)
  ? { LD_LIBRARY_PATH: chromium, VK_ICD_FILENAMES: join(chromium, 'vk_swiftshader_icd.json') }
  : undefined;
