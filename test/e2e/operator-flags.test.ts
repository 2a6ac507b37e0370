import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const main = fileURLToPath(new URL('../../dist/operator/main.js', import.meta.url));

/** Outcome of the operator's command when started with a wrong flag or variable; it never reaches a cluster. */
function start(args: readonly string[], env: Readonly<Record<string, string>> = {}, script = main) {
  const all = [script, '--image', 'i', '--kubeconfig', '/nowhere', ...args];
  return new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, all, { env: { ...process.env, ...env }, timeout: 20_000 }, (error, _, stderr) =>
      resolve({ code: error?.code, stderr }),
    );
  });
}

test.each([
  [['--name-servers', 'kube-dns'], {}, 2, 'expected NAMESPACE/LABEL=VALUE or an address such as 10.0.0.10/32'],
  [[], { LOCKSTEP_NAME_SERVERS: '10.0.0.10' }, 2, 'expected NAMESPACE/LABEL=VALUE or an address'],
  [['--namespace', 'a', '--namespace', 'B'], {}, 2, 'expected names of namespaces, got "B"'],
  [[], { LOCKSTEP_NAMESPACES: 'a,' }, 2, 'expected names of namespaces, got ""'],
  [[], { LOCKSTEP_ALLOW_ANY_TEMPLATE: 'yes' }, 1, 'LOCKSTEP_ALLOW_ANY_TEMPLATE: expected true or false, got "yes"'],
] as const)('the operator refuses %j and %j', async (args, env, code, message) => {
  const ended = await start(args, env);
  expect(ended.stderr).toContain(message);
  expect(ended.code).toBe(code);
});

/** Lockstep installed without the Kubernetes client. @returns its operator. */
function withoutClient(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-operator-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync('node_modules').filter((name) => name !== '@kubernetes' && !name.startsWith('.'))) {
    symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name));
  }
  for (const path of ['dist', 'package.json']) cpSync(path, join(folder, path), { recursive: true });
  return join(folder, 'dist/operator/main.js');
}

test('the operator says how to install the Kubernetes client, an optional dependency', async () => {
  const script = withoutClient();
  const ended = await start([], {}, script);
  expect(ended.stderr).toMatch(
    /^lockstep-operator: start: expected the package (@kubernetes\/client-node@\d+\.\d+\.\d+), got Cannot find package .*; run npm install \1 in the folder where Lockstep is installed\n$/,
  );
  expect(ended.code).toBe(1);
  expect(await start(['--help'], {}, script)).toEqual({ code: undefined, stderr: '' });
});
