import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Licenses of bundled packages, which must be distributed with the code.
 * @param inputs - paths of the bundled files, relative to `root`
 */
export function licensesOf(root, inputs) {
  const folders = inputs.flatMap((path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []);
  const texts = [...new Set(folders)].sort().flatMap((folder) => licensesIn(join(root, folder)));
  return texts.join(`\n${'-'.repeat(80)}\n\n`);
}

function licensesIn(folder) {
  const read = (file) => readFileSync(join(folder, file), 'utf8');
  const { name, version } = JSON.parse(read('package.json'));
  const files = readdirSync(folder, { recursive: true })
    .filter((file) => /^(licenses[\\/])?(licen[cs]e|notice|copying)(?!s$)[^\\/]*$/i.test(file))
    .sort();
  if (files.length === 0) throw new Error(`build: expected the license of ${name}, which is bundled, got none`);
  return files.map((file) => `${name} ${version}: ${file}\n\n${read(file)}`);
}
