// Loads every package that the modules in TREE/dist name, to see that nothing needed was pruned:
// node deploy/images/check-imports.mjs TREE ENTRY…   (ENTRY: module or folder in dist; what it imports is followed)
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [tree, ...entries] = process.argv.slice(2);
if (!tree || entries.length === 0) {
  console.error('check-imports: expected TREE and ENTRY, got fewer arguments');
  process.exit(2);
}
const dist = resolve(tree, 'dist');
const named = /(?:\bfrom|\bimport|\bimport\(|\bnew URL\()\s*['"]([^'"]+)['"]/g;

const seen = new Set();
const packages = new Map();
const left = entries.flatMap((entry) => modules(join(dist, entry)));
for (let path = left.pop(); path !== undefined; path = left.pop()) {
  if (seen.has(path)) continue;
  seen.add(path);
  for (const [, name] of readFileSync(path, 'utf8').matchAll(named)) {
    if (!name.startsWith('.')) packages.set(name, path);
    else if (name.endsWith('.js')) left.push(resolve(dirname(path), name));
  }
}

const failed = [];
for (const [name, importer] of packages) {
  if (isBuiltin(name)) packages.delete(name);
  else await load(name).catch((error) => failed.push(`${name} (for ${importer}): ${error.message}`));
}
for (const message of failed) console.error(`check-imports: expected a package that loads, got ${message}`);
console.log(`check-imports: ${seen.size} modules, ${packages.size} packages, ${failed.length} of them do not load`);
// Some packages keep timers.
process.exit(failed.length > 0 || packages.size === 0 ? 1 : 0);

/** From a module inside the tree, so that the tree's packages are found and no others. */
async function load(name) {
  const probe = join(dist, `check-${process.pid}.mjs`);
  writeFileSync(probe, `export * from ${JSON.stringify(name)};\n`);
  try {
    await import(`${pathToFileURL(probe).href}?${encodeURIComponent(name)}`);
  } finally {
    rmSync(probe);
  }
}

function modules(path) {
  if (statSync(path).isFile()) return [path];
  const entriesThere = readdirSync(path, { withFileTypes: true });
  return entriesThere.flatMap((entry) => {
    if (entry.isDirectory()) return entry.name === 'page' ? [] : modules(join(path, entry.name));
    return entry.name.endsWith('.js') ? [join(path, entry.name)] : [];
  });
}
