import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Gpu, parseInformation, parseSmi, visibleGpus } from './gpus.js';

/** Where NVIDIA's driver tells of its GPUs. */
export interface DriverFiles {
  /** A directory per GPU, named by PCI bus. Not there in WSL, in some sandboxes, and on Windows. */
  readonly proc: string;
  /** Asked where `proc` is not there. */
  readonly smi: string;
  /** How long it may take: several seconds where the driver wakes up for it. */
  readonly smiLimitMs: number;
}

const driverFiles: DriverFiles = { proc: '/proc/driver/nvidia/gpus', smi: 'nvidia-smi', smiLimitMs: 10_000 };

/**
 * NVIDIA GPUs that processes of this one may use, by PCI bus; none where the driver is not there or does not answer.
 * @param env - whose `CUDA_VISIBLE_DEVICES` holds.
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
