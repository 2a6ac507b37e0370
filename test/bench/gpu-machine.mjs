// A machine as bench:gpu sees it: its GPUs, and the location of CUDA's libraries.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findGpus } from '../../dist/cli/gpus/find-gpus.js';
import { describeGpus } from '../../dist/cli/gpus/gpus.js';
import { fetchedCudaLibraries, libraryFolders } from '../../dist/engine/onnx/cuda-provider.js';

/** e.g. `1 GPU (NVIDIA H200), driver 580.159.04`; undefined if NVIDIA's driver reports none. */
export async function describeMachine() {
  const gpus = await findGpus(process.env);
  if (gpus.length === 0) return undefined;
  const query = ['--query-gpu=driver_version', '--format=csv,noheader'];
  const { stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: 10_000 });
  return `${describeGpus(gpus)}, driver ${stdout?.trim().split('\n')[0] || 'unknown'}`;
}

/**
 * Environment in which CUDA's libraries are found: those fetched by gpu-setup.sh, else those that came with a Python's
 * PyTorch; the machine's own in any case.
 */
export function cudaEnvironment(pythons) {
  const ofPythons = pythons.flatMap(packageFolders).map((place) => libraryFolders(join(place, 'nvidia')));
  const folders = [fetchedCudaLibraries(), ...ofPythons].find((found) => found.length > 0) ?? [];
  const path = [...folders, process.env.LD_LIBRARY_PATH ?? ''].filter((part) => part !== '');
  return path.length > 0 ? { LD_LIBRARY_PATH: path.join(':') } : {};
}

function packageFolders(python) {
  const { stdout } = spawnSync(python, ['-c', 'import sys; print("\\n".join(sys.path))'], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').filter((folder) => folder !== '');
}
