// Removes files from TREE/node_modules that Node.js doesn't load: node deploy/images/prune.mjs TREE [ARCH]
// ARCH as in process.arch. Prints the removed bytes by kind.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

const [tree, arch = process.arch] = process.argv.slice(2);
if (!tree || !existsSync(join(tree, 'node_modules'))) {
  console.error('prune: expected TREE with node_modules, got none');
  process.exit(2);
}
const modules = join(tree, 'node_modules');

/** Removable files by their path in node_modules. */
const rules = [
  ['maps, types and sources of TypeScript', /\.(map|d\.[cm]?ts|[cm]?tsx?|tsbuildinfo)$/],
  ['documents', /(^|\/)(readme|changelog|changes|history|contributing|authors|security|bugs|news)[^/]*\.(md|txt)$/i],
  ['documents', /\.(markdown|md)$/i],
  ['tests and examples of packages', /^(@[^/]+\/)?[^/]+\/(test|tests|__tests__|example|examples|bench|\.github)\//],
  ['tests of TensorFlow.js', /^@tensorflow\/.*(_test|jasmine_util|setup_test|\/tests)\.js$/],
  // Node.js loads tf-*.node.js; the module tree stays, because packages may import from it
  ['bundles of TensorFlow.js for browsers', /^@tensorflow\/[^/]+\/dist\/tf-[a-z-]+(\.es2017|\.fesm)?(\.min)?\.js$/],
  ['bundles for browsers', /^(protobufjs|bintrees)\/dist\/|^pako\/dist\/(?!pako\.esm\.mjs$)/],
  ["ONNX Runtime's libraries of other platforms", /^onnxruntime-node\/bin\/[^/]+\/(?!linux\/)/],
  ["ONNX Runtime's libraries of other processors", new RegExp(`^onnxruntime-node/bin/[^/]+/linux/(?!${arch}/)`)],
  // unused, several hundred MB
  ["ONNX Runtime's TensorRT plug-in", /^onnxruntime-node\/bin\/.*providers_tensorrt/],
  ['fonts that no chart uses', /^dejavu-fonts-ttf\/ttf\/(?!DejaVuSans(-Bold)?\.ttf$)/],
];

/** Licences, which must be distributed with the code. */
const kept = /(^|\/)(licen[cs]e|copying|notice|third-?party)[^/]*$/i;

const removed = new Map();
const account = (why, bytes) => removed.set(why, (removed.get(why) ?? 0) + bytes);

for (const file of files(modules)) {
  // a package inside a package follows the same rules
  const path = relative(modules, file)
    .split(sep)
    .join('/')
    .replace(/^.*\/node_modules\//, '');
  const rule = kept.test(path) ? undefined : rules.find(([, pattern]) => pattern.test(path));
  if (rule === undefined) continue;
  account(rule[0], statSync(file).size);
  rmSync(file);
}
for (const [why, bytes] of removed) console.log(`${(bytes / 1e6).toFixed(1).padStart(7)} MB  ${why}`);
console.log(`${(bytesOf(modules) / 1e6).toFixed(1).padStart(7)} MB  left in node_modules`);

function* files(directory) {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (entry.isFile()) yield path;
  }
}

function bytesOf(directory) {
  return [...files(directory)].reduce((sum, file) => sum + statSync(file).size, 0);
}
