import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** A tree whose only module imports a dependency and, on demand, an optional peer dependency. */
function makeTree(): string {
  const tree = mkdtempSync(join(tmpdir(), 'lockstep-narrow-'));
  onTestFinished(() => rmSync(tree, { recursive: true, force: true }));
  const manifest = {
    dependencies: { used: '1.0.0', unused: '2.0.0' },
    peerDependencies: { accelerator: '3.0.0', cluster: '4.0.0' },
    devDependencies: { accelerator: '3.0.0' },
  };
  writeFileSync(join(tree, 'package.json'), JSON.stringify(manifest));
  mkdirSync(join(tree, 'dist'));
  writeFileSync(join(tree, 'dist/main.js'), "import 'used';\nexport const load = () => import('accelerator');\n");
  install(tree, 'used');
  return tree;
}

function install(tree: string, name: string, source = 'export {};'): void {
  mkdirSync(join(tree, 'node_modules', name), { recursive: true });
  writeFileSync(
    join(tree, 'node_modules', name, 'package.json'),
    JSON.stringify({ name, type: 'module', main: 'index.js' }),
  );
  writeFileSync(join(tree, 'node_modules', name, 'index.js'), source);
}

const run = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, [`deploy/images/${script}.mjs`, ...args], { encoding: 'utf8' });
const manifestOf = (tree: string) => JSON.parse(readFileSync(join(tree, 'package.json'), 'utf8')) as Manifest;

it('keeps the dependencies of an image, and no optional one unless it is named', () => {
  const tree = makeTree();
  expect(run('narrow', tree, 'main.js').status).toBe(0);
  expect(manifestOf(tree)).toMatchObject({ dependencies: { used: '1.0.0' }, devDependencies: {} });
  expect(Object.keys(manifestOf(tree).dependencies)).toEqual(['used']);
  expect(run('check-imports', tree, 'main.js')).toMatchObject({ status: 0, stderr: '' });
});

it('makes a named one a dependency with its pinned version, and then it must load', () => {
  const tree = makeTree();
  expect(run('narrow', tree, 'main.js', '--with', 'accelerator').status).toBe(0);
  expect(manifestOf(tree).dependencies).toEqual({ used: '1.0.0', accelerator: '3.0.0' });
  expect(manifestOf(tree).peerDependencies).toEqual({ cluster: '4.0.0' });
  const missing = run('check-imports', tree, 'main.js');
  expect([missing.status, missing.stderr]).toEqual([1, expect.stringContaining('that loads, got accelerator (for ')]);
  install(tree, 'accelerator');
  expect(run('check-imports', tree, 'main.js').status).toBe(0);
});

it('fails if an image contains an optional dependency that it was not given', () => {
  const tree = makeTree();
  run('narrow', tree, 'main.js');
  install(tree, 'accelerator');
  const { status, stderr } = run('check-imports', tree, 'main.js');
  expect([status, stderr]).toEqual([1, expect.stringContaining('expected no accelerator, an optional peer')]);
});

it('refuses a package that is no optional dependency', () => {
  const { status, stderr } = run('narrow', makeTree(), 'main.js', '--with', 'used');
  expect([status, stderr]).toEqual([2, 'narrow: expected --with accelerator or cluster, got used\n']);
});
