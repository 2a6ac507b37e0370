import { readFile } from 'node:fs/promises';

/** As Linux tells at once, else as systeminformation finds out, which takes 0.1 s; 0 where nobody knows. */
export async function physicalCores(): Promise<number> {
  const told = coresIn(await readFile('/proc/cpuinfo', 'utf8').catch(() => ''));
  if (told > 0) return told;
  const { cpu } = await import('systeminformation');
  return (await cpu()).physicalCores;
}

/** Physical cores in the text of Linux's /proc/cpuinfo; 0 where it does not tell, as on ARM. */
export function coresIn(cpuinfo: string): number {
  const processors = cpuinfo.split(/\n\s*\n/);
  const fields = ['physical id', 'core id'].map((name) => new RegExp(`^${name}\\s*: (\\d+)$`, 'm'));
  const cores = processors.map((text) => fields.map((field) => field.exec(text)?.[1]));
  return new Set(cores.filter((ids) => !ids.includes(undefined)).map(String)).size;
}
