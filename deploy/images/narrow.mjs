// Reduces TREE/package.json to the dependencies of ENTRY, so `npm prune` removes the others:
// node deploy/images/narrow.mjs TREE ENTRY…   (ENTRY: module or folder in TREE/dist)
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { namedPackages } from './packages.mjs';

const [tree, ...entries] = process.argv.slice(2);
if (!tree || entries.length === 0) {
  console.error('narrow: expected TREE and ENTRY, got fewer arguments');
  process.exit(2);
}
const path = join(tree, 'package.json');
const manifest = JSON.parse(readFileSync(path, 'utf8'));
const wanted = new Set([...namedPackages(tree, entries).keys()].map(packageOf));
// Fonts are loaded with `require.resolve`, not imported.
if (wanted.has('@resvg/resvg-js')) wanted.add('dejavu-fonts-ttf');

const dependencies = Object.entries(manifest.dependencies);
const kept = dependencies.filter(([name]) => wanted.has(name) || isWantedByPeers(name));
writeFileSync(
  path,
  JSON.stringify({ ...manifest, dependencies: Object.fromEntries(kept), devDependencies: {} }, null, 2),
);
console.log(`narrow: ${kept.length} of ${dependencies.length} dependencies are needed by ${entries.join(', ')}`);

function packageOf(specifier) {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

/** True if this package is a peer dependency of a wanted one. */
function isWantedByPeers(name) {
  const require = createRequire(resolve(tree, 'package.json'));
  return [...wanted].some((other) => {
    try {
      return (
        name in (JSON.parse(readFileSync(require.resolve(`${other}/package.json`), 'utf8')).peerDependencies ?? {})
      );
    } catch {
      return false;
    }
  });
}
