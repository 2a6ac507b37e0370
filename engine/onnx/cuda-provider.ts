import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const library = 'libonnxruntime_providers_cuda.so';

/**
 * Path of ONNX Runtime's CUDA provider, if installed; the npm package doesn't contain it. It also needs CUDA 13 to load.
 * `scripts/gpu-setup.sh` downloads both and checks their SHA-256; the package's own install script would download the
 * provider unchecked.
 */
export function cudaProviderFile(): string | undefined {
  return cudaProviderIn(packageDirectory(), `${process.platform}/${process.arch}`);
}

/** CUDA libraries downloaded by `scripts/gpu-setup.sh`; empty if it wasn't run. */
export function fetchedCudaLibraries(): string[] {
  return libraryFolders(join(packageDirectory(), '../../gpu-libraries/nvidia'));
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

function packageDirectory(): string {
  return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
}
