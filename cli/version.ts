import { readFileSync } from 'node:fs';

/** Lockstep's version, from the `package.json` next to `dist`. */
export function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
