import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** The page's script, bundled by `npm run build`. */
const bundle = new URL('./browser/verify.js', import.meta.url);

export interface VerifyScript {
  readonly code: string;
  /** Its hash as a source of a Content Security Policy, with its quotes. */
  readonly source: string;
}

export async function readVerifyScript(): Promise<VerifyScript> {
  const code = (await readFile(bundle, 'utf8')).trim();
  return { code, source: `'sha256-${createHash('sha256').update(code).digest('base64')}'` };
}
