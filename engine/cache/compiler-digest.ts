import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Packages whose versions can change a compiled program. */
const packages = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', 'onnx-buf'];

/**
 * Digest of the compiler: Lockstep's code, the versions of libraries and of the JavaScript engine, which folds constants.
 * Takes a few milliseconds.
 */
export function compilerDigest(): Promise<string> {
  return (known ??= computeDigest());
}

let known: Promise<string> | undefined;

async function computeDigest(): Promise<string> {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  const names = (await readdir(folder, { recursive: true })).filter((name) => /(?<!\.d)\.[jt]s$/.test(name)).sort();
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  const hash = createHash('sha256').update(JSON.stringify([process.versions.v8, packages.map(versionOf)]));
  names.forEach((name, i) => hash.update(JSON.stringify([name, files[i]!.length])).update(files[i]!));
  return hash.digest('hex');
}

function versionOf(name: string): string {
  const { version } = createRequire(import.meta.url)(`${name}/package.json`) as { version: string };
  return `${name} ${version}`;
}
