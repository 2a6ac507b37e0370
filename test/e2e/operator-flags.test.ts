import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('../../dist/operator/main.js', import.meta.url));

/** Outcome of the operator's command when started with a wrong flag or variable; it never reaches a cluster. */
function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const all = [main, '--image', 'i', '--kubeconfig', '/nowhere', ...args];
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
