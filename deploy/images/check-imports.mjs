// Loads every package imported by the modules in TREE/dist, to check that none was pruned:
// node deploy/images/check-imports.mjs TREE ENTRY…   (ENTRY: module or folder in TREE/dist, with its imports)
// Optional peer dependencies must be absent: an image has those that narrow.mjs made dependencies.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { namedPackages } from './packages.mjs';

const [tree, ...entries] = process.argv.slice(2);
if (!tree || entries.length === 0) {
  console.error('check-imports: expected TREE and ENTRY, got fewer arguments');
  process.exit(2);
}
const { peerDependencies = {} } = JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8'));
const optional = Object.keys(peerDependencies);
const packages = [...namedPackages(tree, entries)].filter(([name]) => !optional.includes(name));
const failed = optional
  .filter((name) => existsSync(join(tree, 'node_modules', name)))
  .map((name) => `expected no ${name}, an optional peer dependency, got one; add it in narrow.mjs or prune it`);
for (const [name, importer] of packages) {
  await load(name).catch((error) =>
    failed.push(`expected a package that loads, got ${name} (for ${importer}): ${error.message}`),
  );
}
for (const message of failed) console.error(`check-imports: ${message}`);
console.log(`check-imports: ${packages.length} packages, ${failed.length} problems`);
// Exits explicitly, because some packages keep timers.
process.exit(failed.length > 0 || packages.length === 0 ? 1 : 0);

/** Imports a package from a module inside the tree, so only the tree's packages are found. */
async function load(name) {
  const probe = resolve(join(tree, 'dist', `check-${process.pid}.mjs`));
  writeFileSync(probe, `export * from ${JSON.stringify(name)};\n`);
  try {
    await import(`${pathToFileURL(probe).href}?${encodeURIComponent(name)}`);
  } finally {
    rmSync(probe);
  }
}
