import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusReply } from '../../proto/messages.js';
import { type Command, type Ended, lockstep, scratchDirectory, smallJob } from './lockstep.js';
import { commandStarter } from './starter.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);
const start = commandStarter();

const path = (...parts: string[]) => join(scratch.path, ...parts);
const secret = 'a-secret-of-sixteen-or-more';
const token = ['--token-file', path('token.txt')];
/** Options of TLS for a role, with the files that `lockstep certs` wrote into `directory`. */
function tls(role: 'coordinator' | 'worker', directory = 'certs'): string[] {
  const file = (name: string) => path(directory, name);
  return ['--tls-cert', file(`${role}.crt`), '--tls-key', file(`${role}.key`), '--tls-ca', file('ca.crt')];
}
const certs = (directory: string) =>
  lockstep(['certs', '--out', path(directory), '--host', 'gpu-1.lab', '--days', '30']);
const digestIn = (text: string) => /Final digest: ([0-9a-f]{64})/.exec(text)?.[1];

let made: Ended;
beforeAll(async () => {
  writeFileSync(path('token.txt'), secret);
  [made] = await Promise.all([certs('certs'), certs('others')]);
});

/** Status and text of an answer over HTTPS, from one with the CA and no certificate. */
function fetchPage(url: string, headers: Record<string, string> = {}): Promise<[number | undefined, string]> {
  const ca = readFileSync(path('certs', 'ca.crt'));
  return new Promise((resolve, reject) => {
    const request = get(url, { ca, headers, agent: false, timeout: 5_000 }, (answer) => {
      let text = '';
      answer.on('data', (data: Buffer) => (text += data.toString()));
      answer.on('end', () => resolve([answer.statusCode, text]));
    });
    request.on('timeout', () => request.destroy(new Error(`expected an answer of ${url} within 5 s`)));
    request.on('error', reject);
  });
}

describe('lockstep certs', () => {
  const files = ['ca.crt', 'coordinator.crt', 'coordinator.key', 'worker.crt', 'worker.key'];

  it('writes five files that only their owner can read, with instructions', () => {
    expect(made.code).toBe(0);
    expect(readdirSync(path('certs')).sort()).toEqual(files);
    for (const file of files) expect([file, statSync(path('certs', file)).mode & 0o777]).toEqual([file, 0o600]);
    expect(made.stdout).toContain(
      'for gpu-1.lab, localhost, 127.0.0.1, ::1, and a worker certificate, valid for 30 days',
    );
    expect(made.stdout).toContain(`lockstep worker --coordinator gpu-1.lab:50061 ${tls('worker').join(' ')}`);
  });

  it('overwrites nothing', async () => {
    const before = files.map((file) => readFileSync(path('certs', file), 'utf8'));
    const { code, stderr } = await certs('certs');
    expect(code).toBe(2);
    expect(stderr).toContain(`--out ${path('certs')}: expected none of the files to write, got ca.crt, `);
    expect(files.map((file) => readFileSync(path('certs', file), 'utf8'))).toEqual(before);
  });

  it.each([
    ['gpu-1.lab:50061', '1', 'expected a host name or an IP address without port and brackets'],
    ['[::1]', '1', 'expected a host name or an IP address without port and brackets'],
    ['gpu-1.lab', '0', 'expected 1 to 3650'],
  ])('refuses host %s for %s days', async (host, days, message) => {
    const { code, stderr } = await lockstep(['certs', '--out', path('none'), '--host', host, '--days', days]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

describe('a cluster with TLS and a token', () => {
  let coordinator: Command;
  let address: string;
  const status = (...options: string[]) => lockstep(['status', '--coordinator', address, ...options]);
  const worker = (...options: string[]) => start('worker', '--coordinator', address, '--wait', '20', ...options).ended;

  async function begin(name: string): Promise<string> {
    const places = ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', '--run', path(name)];
    coordinator = start('coordinator', ...smallJob, ...places, ...tls('coordinator'), ...token);
    const [, listening] = await coordinator.until(/listening on (127\.0\.0\.1:\d+)/);
    address = listening!;
    return (await coordinator.until(/Live page: (https:\S+)/))[1]!;
  }

  it('tells rejected peers the reason, shows the page over HTTPS, and trains', async () => {
    const page = await begin('run');
    const [plain, other, poor] = await Promise.all([
      worker(...token),
      worker(...token, ...tls('worker', 'others')),
      worker(...tls('worker')),
    ]);
    expect([plain.code, other.code, poor.code]).toEqual([1, 1, 1]);
    expect(plain.stderr).toContain(`join: expected a coordinator without TLS at ${address}, got one with TLS`);
    expect(other.stderr).toContain(
      `join: expected a coordinator with a certificate of the CA in --tls-ca at ${address}`,
    );
    expect(poor.stderr).toContain("call: expected the cluster's token, got none or another; pass --token-file");

    // A caller that trusts the cluster's CA, which is public, and has another CA's certificate.
    writeFileSync(
      path('both.crt'),
      ['certs', 'others'].map((name) => readFileSync(path(name, 'ca.crt'), 'utf8')).join(''),
    );
    const forged = await status(...token, ...tls('worker', 'others'), '--tls-ca', path('both.crt'));
    expect(forged.code).toBe(1);
    expect(forged.stderr).toMatch(
      /expected a certificate for clients, signed by the cluster's CA, got that of "lockstep worker", signed by/,
    );

    const wrongName = await status(...token, ...tls('worker'), '--tls-server-name', 'gpu-2.lab');
    expect(wrongName.stderr).toContain('status: expected a certificate for gpu-2.lab, got one for DNS:gpu-1.lab, ');
    const asked = await status(...token, ...tls('worker'), '--tls-server-name', 'gpu-1.lab', '--json');
    expect(JSON.parse(asked.stdout) as StatusReply).toMatchObject({ state: 'waiting', workers: [] });

    expect(await fetchPage(`${page}healthz`)).toEqual([200, 'ok\n']);
    expect((await fetchPage(`${page}api/run`))[0]).toBe(401);
    expect((await fetchPage(`${page}api/run`, { Authorization: `Bearer ${secret}` }))[0]).toBe(200);

    const [trained, ended] = await Promise.all([coordinator.ended, worker(...token, ...tls('worker'))]);
    expect([trained.code, ended.code]).toEqual([0, 0]);
    const log = trained.stdout + trained.stderr + readFileSync(path('run', 'log.jsonl'), 'utf8');
    expect(log).not.toContain(secret);

    const train = await lockstep([
      ...['train', ...smallJob, '--workers', '2', '--run', path('train')],
      ...tls('coordinator'),
      ...token,
    ]);
    expect(train.code).toBe(0);
    expect(train.stdout).toMatch(/Live page: https:/);
    expect(digestIn(trained.stdout)).toMatch(/^[0-9a-f]{64}$/);
    expect(digestIn(train.stdout)).toBe(digestIn(trained.stdout));
  });

  it('is not started with unsuitable certificates', async () => {
    const run = (...options: string[]) => lockstep(['train', ...smallJob, '--run', path('refused'), ...options]);
    const [half, mixed, client, missing] = await Promise.all([
      run('--tls-cert', path('certs', 'coordinator.crt')),
      run(...tls('coordinator'), '--tls-ca', path('others', 'ca.crt')),
      run(...tls('worker')),
      run(...tls('coordinator'), '--tls-key', path('nothing.key')),
    ]);
    expect([half, mixed, client, missing].map(({ code }) => code)).toEqual([2, 2, 2, 2]);
    expect(half.stderr).toContain('expected --tls-cert, --tls-key and --tls-ca together, got no --tls-key, --tls-ca');
    expect(mixed.stderr).toContain('--tls-ca: expected the CA that signed "CN=lockstep coordinator"');
    expect(client.stderr).toContain('--tls-cert: expected a certificate for a server');
    expect(missing.stderr).toContain(`--tls-key: expected a readable file, got ENOENT`);
  });
});
