import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const named = /(?:\bfrom|\bimport|\bimport\(|\brequire\(|\bnew URL\()\s*['"]([^'"]+)['"]/g;

/**
 * What of npm's packages the compiled modules of a tree name, also those that they load late and in other threads.
 * @param entries - modules or folders in the tree's dist; what they import is followed.
 * @returns each specifier (`echarts/core`) with a module that names it.
 */
export function namedPackages(tree, entries) {
  const dist = resolve(tree, 'dist');
  const seen = new Set();
  const found = new Map();
  const left = entries.flatMap((entry) => modules(join(dist, entry)));
  for (let path = left.pop(); path !== undefined; path = left.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    for (const [, name] of readFileSync(path, 'utf8').matchAll(named)) {
      if (!name.startsWith('.')) found.set(name, path);
      else if (name.endsWith('.js')) left.push(resolve(dirname(path), name));
    }
  }
  return new Map([...found].filter(([name]) => !isBuiltin(name)));
}

/** The live page's script is bundled: what it names is in it. */
function modules(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return entry.name === 'page' ? [] : modules(join(path, entry.name));
    return entry.name.endsWith('.js') ? [join(path, entry.name)] : [];
  });
}
