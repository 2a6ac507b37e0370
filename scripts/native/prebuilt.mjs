import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { targets } from './targets.mjs';
import { zigVersion } from './zig.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const prebuilt = join(root, 'engine', 'native', 'prebuilt');
const manifestPath = join(prebuilt, 'manifest.json');
const limitBytes = 5e6;

/** SHA-256 over names and contents of the C files, the build's scripts and its pinned tools. */
export function sourceHash() {
  const folders = ['engine/native/kernels', 'scripts/native'];
  const files = folders.flatMap((folder) => readdirSync(join(root, folder)).map((file) => `${folder}/${file}`));
  const hash = createHash('sha256');
  for (const file of [...files, 'scripts/native.mjs'].sort()) {
    const bytes = readFileSync(join(root, file));
    hash.update(`${file}\n${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** Writes the built files and the manifest. */
export function writePrebuilt(built) {
  mkdirSync(prebuilt, { recursive: true });
  for (const { target, bytes } of built) writeFileSync(join(prebuilt, target.file), bytes);
  const before = existsSync(manifestPath) ? JSON.parse(readFileSync(manifestPath, 'utf8')).files : {};
  const files = { ...before, ...Object.fromEntries(built.map(describe)) };
  const kept = targets.filter(({ file }) => files[file] !== undefined).map(({ file }) => [file, files[file]]);
  const manifest = {
    sources: sourceHash(),
    compiler: `zig ${zigVersion}`,
    files: Object.fromEntries(kept),
  };
  const total = kept.reduce((sum, [, entry]) => sum + entry.bytes, 0);
  if (total > limitBytes) throw new Error(`native: expected at most ${limitBytes} bytes in all, got ${total}`);
  writeFileSync(manifestPath, `${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** Throws unless the built files, and the manifest, are those in prebuilt/. */
export function compareWithPrebuilt(built) {
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8'));
  const problems = built.flatMap(({ target, bytes }) => difference(target, bytes, manifest));
  if (manifest.sources !== sourceHash()) problems.push('manifest.json: other sources');
  if (manifest.compiler !== `zig ${zigVersion}`) problems.push('manifest.json: another compiler');
  if (problems.length === 0) return;
  throw new Error(
    `native: expected the files of engine/native/prebuilt, got ${problems.join('; ')}; run npm run native`,
  );
}

function difference(target, bytes, manifest) {
  const { file } = target;
  const path = join(prebuilt, file);
  if (!existsSync(path)) return [`${file}: missing`];
  if (!readFileSync(path).equals(bytes)) return [`${file}: other bytes`];
  const entry = describe({ target, bytes })[1];
  return manifest.files[file]?.sha256 === entry.sha256 ? [] : [`${file}: another SHA-256 in manifest.json`];
}

function describe({ target, bytes }) {
  return [target.file, { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }];
}
