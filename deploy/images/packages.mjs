import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';

const named = /(?:\bfrom|\bimport|\bimport\(|\brequire\(|\bnew URL\()\s*['"]([^'"]+)['"]/g;

/**
 * Packages imported by a tree's compiled modules, including dynamic imports and worker threads.
 * @param entries - modules or folders in the tree's dist, followed with their imports.
 * @returns a map from each specifier (`hono/html`) to a module that imports it.
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

/** Modules under a path, except for the live page's script, which is bundled with its packages. */
function modules(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return entry.name === 'page' ? [] : modules(join(path, entry.name));
    return entry.name.endsWith('.js') ? [join(path, entry.name)] : [];
  });
}
