import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * A module as `npm run build` has made it: a thread's entry must be JavaScript, so what starts threads is tested so.
 * @param path - below `dist`, e.g. `coordinator/stepping/trainer.js`.
 */
export async function built<Module>(path: string): Promise<Module> {
  const url = new URL(`../../dist/${path}`, import.meta.url);
  if (!existsSync(url)) throw new Error(`expected ${fileURLToPath(url)}, got nothing there; run npm run build`);
  return (await import(url.href)) as Module;
}
