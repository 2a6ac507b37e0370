import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildSync } from 'esbuild';
import { wasmFile } from '../../../../engine/native/load/load.js';
import { launch, openPage } from '../../../e2e/browser.js';
import { masksOf } from '../compute.js';
import type { Prepared } from '../prepare.js';
import type { Work } from './main.js';
import { encode } from './message.js';

const script = fileURLToPath(new URL('./main.ts', import.meta.url));

/**
 * Digests of subjects, computed by a page in headless Chromium. Node.js compiled their plans and drew their masks.
 *
 * @param scratch - folder for its files
 */
export async function digestsInChromium(
  chromium: string,
  scratch: string,
  subjects: readonly Prepared[],
): Promise<Readonly<Record<string, string>>> {
  const browser = await launch(chromium);
  try {
    const { page, problems } = await openPage(browser, writePage(scratch));
    const wasm = new Uint8Array(readFileSync(wasmFile));
    const digests: Record<string, string> = {};
    for (const subject of subjects) {
      const work: Work = { wasm, subject, masks: masksOf(subject) };
      const message = JSON.stringify(encode(work));
      digests[subject.name] = await page.evaluate(`digestInBrowser(${message})`);
    }
    if (problems.length > 0) throw new Error(`page in Chromium: expected no errors, got ${problems.join('; ')}`);
    return digests;
  } finally {
    await browser.close();
  }
}

/** A page with the script. Pages from files may compute SHA-256. @returns its URL */
function writePage(folder: string): string {
  const { outputFiles } = buildSync({
    ...{ entryPoints: [script], bundle: true, write: false, logLevel: 'warning' },
    ...{ format: 'iife', platform: 'browser', target: ['es2022', 'chrome114'] },
  });
  const path = join(folder, 'one-digest.html');
  writeFileSync(path, `<!doctype html><meta charset="utf-8"><script>${outputFiles[0]!.text}</script>`);
  return pathToFileURL(path).href;
}
