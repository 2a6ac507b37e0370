// Reduces TREE/package.json to the dependencies of ENTRY, so `npm prune` removes the others:
// node deploy/images/narrow.mjs TREE ENTRY… [--with PACKAGE]…
//   ENTRY: module or folder in TREE/dist   PACKAGE: optional peer dependency that becomes a dependency
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { namedPackages } from './packages.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { with: { type: 'string', multiple: true, default: [] } },
});
const [tree, ...entries] = positionals;
if (!tree || entries.length === 0) fail('expected TREE and ENTRY, got fewer arguments');
const path = join(tree, 'package.json');
const manifest = JSON.parse(readFileSync(path, 'utf8'));
const peers = { ...manifest.peerDependencies };
const unknown = values.with.filter((name) => !Object.hasOwn(peers, name));
if (unknown.length > 0) fail(`expected --with ${Object.keys(peers).join(' or ')}, got ${unknown.join(', ')}`);

const wanted = new Set([...namedPackages(tree, entries).keys()].map(packageOf));
// Fonts are loaded with `require.resolve`, not imported.
if (wanted.has('@resvg/resvg-js')) wanted.add('dejavu-fonts-ttf');

const dependencies = Object.entries(manifest.dependencies);
const kept = dependencies.filter(([name]) => wanted.has(name) || isWantedByPeers(name));
const added = values.with.map((name) => [name, peers[name]]);
for (const name of values.with) delete peers[name];
writeFileSync(
  path,
  JSON.stringify(
    {
      ...manifest,
      dependencies: Object.fromEntries([...kept, ...added]),
      peerDependencies: peers,
      devDependencies: {},
    },
    null,
    2,
  ),
);
const more = added.length > 0 ? `; added ${values.with.join(', ')}` : '';
console.log(`narrow: ${kept.length} of ${dependencies.length} dependencies are needed by ${entries.join(', ')}${more}`);

function fail(problem) {
  console.error(`narrow: ${problem}`);
  process.exit(2);
}

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
