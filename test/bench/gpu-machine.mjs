// What bench:gpu needs to know of a machine: its GPUs, and where CUDA's libraries lie.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findGpus } from '../../dist/cli/gpus/find-gpus.js';
import { describeGpus } from '../../dist/cli/gpus/gpus.js';

/** What gpu-setup.sh has fetched. */
const fetched = fileURLToPath(new URL('../../gpu-libraries', import.meta.url));

/** e.g. `1 GPU (NVIDIA H200), driver 580.159.04`; undefined where NVIDIA's driver names none. */
export async function describeMachine() {
  const gpus = await findGpus(process.env);
  if (gpus.length === 0) return undefined;
  const query = ['--query-gpu=driver_version', '--format=csv,noheader'];
  const { stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8', timeout: 10_000 });
  return `${describeGpus(gpus)}, driver ${stdout?.trim().split('\n')[0] || 'unknown'}`;
}

/**
 * Environment in which CUDA's libraries are found: those that gpu-setup.sh has fetched, else those that came with a
 * Python's PyTorch, and the machine's own in any case.
 */
export function cudaEnvironment(pythons) {
  const places = [fetched, ...pythons.flatMap(packageFolders)];
  const folders = places.map((place) => libraryFolders(join(place, 'nvidia'))).find((found) => found.length > 0) ?? [];
  const path = [...folders, process.env.LD_LIBRARY_PATH ?? ''].filter((part) => part !== '');
  return path.length > 0 ? { LD_LIBRARY_PATH: path.join(':') } : {};
}

function packageFolders(python) {
  const { stdout } = spawnSync(python, ['-c', 'import sys; print("\\n".join(sys.path))'], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').filter((folder) => folder !== '');
}

/** NVIDIA's wheels put libraries into nvidia/PART/lib. */
function libraryFolders(nvidia) {
  if (!existsSync(nvidia)) return [];
  return readdirSync(nvidia)
    .map((part) => join(nvidia, part, 'lib'))
    .filter((folder) => existsSync(folder));
}
