import { join } from 'node:path';

/** Directory of a new run: `<runs>/<name>-<time>`, e.g. `runs/cluster-cnn3-20260131-142501-073`; UTC. */
export function newRunDirectory(runs: string, name: string, now: Date): string {
  const [day, time] = now.toISOString().replaceAll(/[-:Z]/g, '').replace('.', '-').split('T');
  return join(runs, `${name}-${day}-${time}`);
}
