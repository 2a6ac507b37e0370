import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeDirectory } from './runtime.js';

const library = 'libonnxruntime_providers_cuda.so';

/**
 * Path of ONNX Runtime's CUDA provider, if installed; the npm package onnxruntime-node doesn't contain it. It also needs CUDA 13 to load.
 * `scripts/gpu-setup.sh` downloads both and checks their SHA-256; the package's own install script would download the
 * provider unchecked.
 */
export function cudaProviderFile(): string | undefined {
  const directory = runtimeDirectory();
  return directory && cudaProviderIn(directory, `${process.platform}/${process.arch}`);
}

/** Message about a missing CUDA provider; undefined if it is installed. */
export function providerProblem(): string | undefined {
  if (cudaProviderFile() !== undefined) return undefined;
  return "expected ONNX Runtime's library for CUDA, got none; run scripts/gpu-setup.sh in Lockstep's folder, or remove engine.name to compute on CPUs";
}

/** CUDA libraries downloaded by `scripts/gpu-setup.sh`; empty if it wasn't run. */
export function fetchedCudaLibraries(): string[] {
  const directory = runtimeDirectory();
  return directory === undefined ? [] : libraryFolders(join(directory, '../../gpu-libraries/nvidia'));
}

/** NVIDIA's wheels put libraries into `PART/lib`. @param directory - the one that contains all `PART`. */
export function libraryFolders(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const folders = readdirSync(directory).map((part) => join(directory, part, 'lib'));
  return folders.filter((folder) => existsSync(folder)).sort();
}

/** @param platform - e.g. `linux/x64`; the only platform with a provider. */
export function cudaProviderIn(directory: string, platform: string): string | undefined {
  const builds = readdirSync(join(directory, 'bin'), { withFileTypes: true });
  return builds
    .filter((entry) => entry.isDirectory() && entry.name.startsWith('napi-v'))
    .map(({ name }) => join(directory, 'bin', name, platform, library))
    .find((file) => existsSync(file));
}
