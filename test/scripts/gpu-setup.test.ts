import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';

/** A folder with Lockstep's package in `node_modules`, as far as the script reads it. */
function installed(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lockstep-gpu-setup-')));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lockstep = join(folder, 'node_modules/lockstep');
  mkdirSync(lockstep, { recursive: true });
  cpSync('package.json', join(lockstep, 'package.json'));
  for (const file of ['gpu-setup.sh', 'gpu-requirements.txt', 'fetch.mjs']) {
    cpSync(join('scripts', file), join(lockstep, 'scripts', file));
  }
  // No download is recorded, so the script ends where it would begin to load.
  writeFileSync(join(lockstep, 'scripts/downloads.json'), '{}');
  return folder;
}

function addRuntime(folder: string, version: string): void {
  const runtime = join(folder, 'node_modules/onnxruntime-node');
  mkdirSync(runtime);
  writeFileSync(join(runtime, 'package.json'), JSON.stringify({ name: 'onnxruntime-node', version }));
}

const setUp = (folder: string) =>
  spawnSync('bash', [join(folder, 'node_modules/lockstep/scripts/gpu-setup.sh')], { encoding: 'utf8', cwd: tmpdir() });

const advice = (folder: string) =>
  `run npm install --ignore-scripts onnxruntime-node@1.30.0 in ${folder}, then this script again\n`;

it('says how to install ONNX Runtime beside a package of Lockstep', () => {
  const folder = installed();
  const { status, stderr } = setUp(folder);
  expect(stderr).toBe(`gpu-setup: expected the package onnxruntime-node@1.30.0, got none; ${advice(folder)}`);
  expect(status).toBe(1);
});

it('says so of another version, whose provider it does not download', () => {
  const folder = installed();
  addRuntime(folder, '1.29.1');
  expect(setUp(folder).stderr).toBe(
    `gpu-setup: expected the package onnxruntime-node@1.30.0, got 1.29.1; ${advice(folder)}`,
  );
});

it('begins the download with the version in package.json, without building', () => {
  const folder = installed();
  addRuntime(folder, '1.30.0');
  const { status, stdout, stderr } = setUp(folder);
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/fetch: expected .*onnxruntime-gpu/);
});
