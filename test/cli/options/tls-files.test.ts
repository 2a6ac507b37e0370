import { X509Certificate } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { TlsFiles } from '../../../cli/options/tls-files.js';
import { formatEndpoint } from '../../../transport/listen.js';
import { takePort } from '../../../observe/page/server/port.js';
import { ClusterServer } from '../../../coordinator/membership/server.js';
import { callMetadata } from '../../../transport/auth.js';
import { fromServiceError } from '../../../proto/errors.js';
import { checkIdentity, describeExpiry, type TlsIdentity } from '../../../transport/tls-identity.js';
import { channelOptions, Control, type ControlClient } from '../../../transport/services.js';
import { channelSecurity } from '../../../transport/tls.js';
import { dayMs, type Identities, makeIdentities } from '../../proto/identities.js';
import { within } from '../../proto/wire.js';

let [before, after]: Identities[] = [];
beforeAll(async () => {
  [before, after] = await Promise.all([makeIdentities(), makeIdentities()]);
});

/** Three files in their own directory. */
function files(identity: TlsIdentity) {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-tls-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const paths = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key'), ca: join(directory, 'ca.crt') };
  const write = (change: Partial<TlsIdentity>) => {
    for (const part of ['cert', 'key', 'ca'] as const) {
      if (change[part] !== undefined) writeFileSync(paths[part], change[part]);
    }
  };
  write(identity);
  const logged: string[] = [];
  const tls = new TlsFiles(paths, 'client');
  return {
    directory,
    tls,
    logged,
    write,
    check: (nowMs = Date.now()) => tls.check(nowMs, (line) => logged.push(line)),
  };
}

async function serve(tls: TlsIdentity): Promise<string> {
  const handlers = {
    cluster: { Join: (stream) => stream.end(), Beat: (stream) => stream.end() },
    data: { Fetch: (call) => call.end() },
    control: { Status: (_, reply) => reply(null, { job: 'answered' } as never) },
  } satisfies ConstructorParameters<typeof ClusterServer>[0];
  const server = new ClusterServer(handlers, { tls });
  onTestFinished(() => server.close(0));
  return formatEndpoint(await server.listen({ host: '127.0.0.1', port: 0 }));
}

/** A client with its own connection, made with the current TLS identity. */
function client(address: string, tls: TlsIdentity): ControlClient {
  const { credentials, options } = channelSecurity(tls, address);
  const local = { 'grpc.use_local_subchannel_pool': 1 };
  const made = new Control(address, credentials, { ...channelOptions, ...options, ...local });
  onTestFinished(() => made.close());
  return made;
}

/** The answer, or the error's code. */
function ask(to: ControlClient): Promise<string> {
  return new Promise((resolve) => {
    to.Status({}, callMetadata(), { deadline: Date.now() + 5_000 }, (error, reply) =>
      resolve(error ? fromServiceError(error, 'status').code : reply!.job),
    );
  });
}

async function serialOf(port: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  await within(new Promise((resolve) => socket.once('secureConnect', resolve)), 'a handshake');
  return socket.getPeerX509Certificate()!.serialNumber;
}

describe('certificates that are renewed while their processes run', () => {
  it('pass from one CA to the next without a refused connection; open connections stay', async () => {
    const [coordinator, worker] = [files(before!.coordinator), files(before!.worker)];
    const address = await serve(coordinator.tls);
    const open = client(address, worker.tls);
    const answers = [await ask(open)];
    const both = before!.worker.ca + after!.worker.ca;
    const { ca } = after!.coordinator;
    const leafOf = ({ cert, key }: TlsIdentity) => ({ cert, key });
    const phases = [
      () => coordinator.write({ ca: both }),
      () => worker.write({ ca: both }),
      () => coordinator.write(leafOf(after!.coordinator)),
      () => worker.write(leafOf(after!.worker)),
      () => coordinator.write({ ca }),
      () => worker.write({ ca }),
    ];
    for (const phase of phases) {
      phase();
      await Promise.all([coordinator.check(), worker.check()]);
      answers.push(await ask(client(address, worker.tls)));
    }
    expect(answers).toEqual(Array.from({ length: 7 }, () => 'answered'));
    expect(coordinator.logged).toHaveLength(3);
    expect(coordinator.logged[0]).toBe(
      `TLS: reloaded ${join(coordinator.directory, 'tls.crt')}, its key and CA; new connections use them`,
    );
    // The former CA is removed: its certificates get no new connection, but keep existing ones.
    expect(await ask(client(address, { ...before!.worker, ca }))).toBe('UNAUTHENTICATED');
    expect(await ask(open)).toBe('answered');
  });

  it("also apply to the page's new connections", async () => {
    const { tls, write, check } = files(before!.coordinator);
    const { server } = await takePort({ host: '127.0.0.1', port: 0, anyPort: false }, tls);
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    expect(await serialOf(port)).toBe(new X509Certificate(before!.coordinator.cert).serialNumber);
    write(after!.coordinator);
    await check();
    expect(await serialOf(port)).toBe(new X509Certificate(after!.coordinator.cert).serialNumber);
  });

  it('are found through a directory link that is swapped, as Kubernetes does', async () => {
    const { directory } = files(before!.worker);
    const link = join(directory, '..data');
    const version = (name: string, { cert, key, ca }: TlsIdentity) => {
      mkdirSync(join(directory, name));
      for (const [file, pem] of Object.entries({ 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca })) {
        writeFileSync(join(directory, name, file), pem);
      }
      symlinkSync(name, join(directory, 'next'));
      renameSync(join(directory, 'next'), link);
    };
    version('1', before!.worker);
    const tls = new TlsFiles(
      { cert: join(link, 'tls.crt'), key: join(link, 'tls.key'), ca: join(link, 'ca.crt') },
      'client',
    );
    version('2', after!.worker);
    await tls.check(Date.now(), () => undefined);
    expect([tls.cert, tls.key, tls.ca]).toEqual([after!.worker.cert, after!.worker.key, after!.worker.ca]);
  });

  it("are not used while they don't match; this is reported once, at the second check", async () => {
    const { tls, logged, write, check } = files(before!.worker);
    let changes = 0;
    tls.onChange(() => void changes++);
    write({ cert: after!.worker.cert });
    await check();
    expect(logged).toEqual([]);
    await check();
    await check();
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(
      /^TLS: the changed certificate files are invalid; keeping the previous ones: --tls-key: expected the key of/,
    );
    expect([tls.cert, changes]).toEqual([before!.worker.cert, 0]);
    write({ key: 'none' });
    await check();
    write({ key: after!.worker.key, ca: after!.worker.ca });
    await check();
    expect([tls.cert, changes, logged.length]).toEqual([after!.worker.cert, 1, 2]);
  });

  it('stay in use when the files are removed', async () => {
    const { directory, tls, logged, check } = files(before!.worker);
    rmSync(join(directory, 'tls.key'));
    await check();
    await check();
    await check();
    expect(logged).toHaveLength(1);
    expect(logged[0]).toContain('ENOENT');
    expect(tls.key).toBe(before!.worker.key);
  });
});

describe('a certificate that expires', () => {
  it('is reported once a day when less than a tenth of its life is left', async () => {
    const { logged, check } = files(before!.worker);
    const endMs = Date.parse(new X509Certificate(before!.worker.cert).validTo);
    const hourMs = dayMs / 24;
    await check(endMs - 3 * hourMs);
    expect(logged).toEqual([]);
    await check(endMs - 2 * hourMs);
    await check(endMs - hourMs);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(/^TLS: the certificate "CN=lockstep .*" expires .*; renew it$/);
    await check(endMs + 23 * hourMs);
    expect(logged).toHaveLength(2);
    expect(logged[1]).toContain(' expired ');
  });

  it('is reported at most 14 days before', async () => {
    const { worker } = await makeIdentities(undefined, Date.now());
    const { makeCertificates } = await import('../../../transport/certificates.js');
    const year = await makeCertificates({ hosts: ['localhost'], days: 365, nowMs: Date.now() });
    const identity = { ...year.worker, ca: year.ca };
    const endMs = Date.parse(new X509Certificate(identity.cert).validTo);
    expect(describeExpiry(identity, endMs - 15 * dayMs)).toBeUndefined();
    expect(describeExpiry(identity, endMs - 13 * dayMs)).toContain(' expires ');
    // A former CA next to the new one may expire.
    expect(describeExpiry({ ...identity, ca: identity.ca + worker.ca }, Date.now())).toBeUndefined();
  });
});

it('a CA file may hold an expired former CA next to the one that signed', async () => {
  const old = await makeIdentities(undefined, Date.now() - 2 * dayMs);
  const { worker } = after!;
  expect(() => checkIdentity({ ...worker, ca: old.worker.ca + worker.ca }, 'client', Date.now())).not.toThrow();
  expect(() => checkIdentity({ ...worker, ca: old.worker.ca }, 'client', Date.now())).toThrow(
    'expected the CA that signed',
  );
});
