import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Gpu, parseInformation, parseSmi, visibleGpus } from './gpus.js';

/** Sources that list NVIDIA GPUs. */
interface DriverFiles {
  /** Has a directory per GPU, named by PCI bus. Missing in WSL, some sandboxes, and on Windows. */
  readonly proc: string;
  /** Command used if `proc` is missing. */
  readonly smi: string;
  /** Time limit; the command takes several seconds if the driver has to start. */
  readonly smiLimitMs: number;
}

const driverFiles: DriverFiles = { proc: '/proc/driver/nvidia/gpus', smi: 'nvidia-smi', smiLimitMs: 10_000 };

/**
 * NVIDIA GPUs available to child processes, ordered by PCI bus; none if the driver is missing or unresponsive.
 * @param env - environment with `CUDA_VISIBLE_DEVICES`, if set.
 */
export async function findGpus(env: NodeJS.ProcessEnv, files = driverFiles): Promise<Gpu[]> {
  const names = (await namesInProc(files.proc)) ?? (await namesFromSmi(files));
  return visibleGpus(names, env['CUDA_VISIBLE_DEVICES']);
}

async function namesInProc(directory: string): Promise<string[] | undefined> {
  const buses = await readdir(directory).catch(() => undefined);
  if (buses === undefined) return undefined;
  const texts = buses.sort().map((bus) => readFile(join(directory, bus, 'information'), 'utf8').catch(() => ''));
  return (await Promise.all(texts)).flatMap((text) => parseInformation(text) ?? []);
}

async function namesFromSmi({ smi, smiLimitMs }: DriverFiles): Promise<string[]> {
  const args = ['--query-gpu=index,name', '--format=csv,noheader'];
  try {
    const { stdout } = await promisify(execFile)(smi, args, { timeout: smiLimitMs, killSignal: 'SIGKILL' });
    return parseSmi(stdout);
  } catch {
    return [];
  }
}
