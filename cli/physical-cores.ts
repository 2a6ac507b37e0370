import { readFile } from 'node:fs/promises';

/** Number of physical cores, from Linux's /proc/cpuinfo or else systeminformation (0.1 s); 0 if unknown. */
export async function physicalCores(): Promise<number> {
  const cores = coresIn(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''));
  if (cores > 0) return cores;
  const { cpu } = await import('systeminformation');
  return (await cpu()).physicalCores;
}

/** Number of physical cores listed in Linux's /proc/cpuinfo; 0 if it lists none, as on ARM. */
export function coresIn(cpuinfo: string): number {
  const processors = cpuinfo.split(/\n\s*\n/);
  const fields = ['physical id', 'core id'].map((name) => new RegExp(`^${name}\\s*: (\\d+)$`, 'm'));
  const cores = processors.map((text) => fields.map((field) => field.exec(text)?.[1]));
  return new Set(cores.filter((ids) => !ids.includes(undefined)).map(String)).size;
}
