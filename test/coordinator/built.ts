import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * A module as built by `npm run build`: a thread's entry must be JavaScript, so code that starts threads is tested as
 * built.
 * @param path - below `dist`, e.g. `coordinator/stepping/trainer.js`.
 */
export async function built<Module>(path: string): Promise<Module> {
  const url = new URL(`../../dist/${path}`, import.meta.url);
  if (!existsSync(url)) throw new Error(`expected ${fileURLToPath(url)}, got nothing there; run npm run build`);
  return (await import(url.href)) as Module;
}
