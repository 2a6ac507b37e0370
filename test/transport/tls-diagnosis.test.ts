import { createServer } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TlsIdentity } from '../../transport/tls-identity.js';
import { diagnoseTls } from '../../transport/tls-diagnosis.js';
import { mutualTls } from '../../transport/tls.js';
import { dayMs, makeIdentities } from '../proto/identities.js';
import { serve, within } from '../proto/wire.js';

/** A TLS server on a free port, closed after the test. @returns its address. */
async function serveTls(options: TlsOptions): Promise<string> {
  const server = createTlsServer({ ...options, ALPNProtocols: ['h2'] }, (socket) =>
    socket.on('error', () => undefined),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

async function words(address: string, tls?: TlsIdentity): Promise<string | undefined> {
  const error = await within(diagnoseTls('join', address, tls), 'a diagnosis');
  if (error) expect(error).toMatchObject({ code: 'UNTRUSTED', retryable: false });
  return error?.message;
}

describe('the diagnosis of a failed call', () => {
  it('is not about TLS if the certificates are good', async () => {
    const { coordinator, worker } = await makeIdentities();
    expect(await words(await serveTls(mutualTls(coordinator)), worker)).toBeUndefined();
  });

  it('is not about TLS if nothing listens, or the peer hangs up', async () => {
    const { worker } = await makeIdentities();
    const rude = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(rude.address() as { port: number }).port}`;
    expect([await words(address, worker), await words(address)]).toEqual([undefined, undefined]);
    await new Promise((resolve) => rude.close(resolve));
    expect([await words(address, worker), await words(address)]).toEqual([undefined, undefined]);
  });

  it("names the CA of a coordinator's certificate that is not the given one", async () => {
    const [ours, theirs] = await Promise.all([makeIdentities(), makeIdentities()]);
    const address = await serveTls(mutualTls(theirs.coordinator));
    expect(await words(address, ours.worker)).toMatch(
      new RegExp(
        `^join: expected a coordinator with a certificate of the CA in --tls-ca at ${address}, got that of ` +
          `"lockstep coordinator", signed by "lockstep CA [0-9a-f]{8}" .*; pass the CA of the coordinator's certificate$`,
      ),
    );
  });

  it('names the hosts of a certificate for other hosts, unless one of them is requested', async () => {
    const { coordinator, worker } = await makeIdentities(['gpu-1.lab', '10.0.0.5']);
    const address = await serveTls(mutualTls(coordinator));
    expect(await words(address, worker)).toMatch(
      /^join: expected a certificate for 127\.0\.0\.1, got one for DNS:gpu-1\.lab, IP Address:10\.0\.0\.5; .*--tls-server-name/,
    );
    for (const serverName of ['gpu-1.lab', '10.0.0.5']) {
      expect(await words(address, { ...worker, serverName })).toBeUndefined();
    }
    expect(await words(address, { ...worker, serverName: 'gpu-2.lab' })).toContain(
      'expected a certificate for gpu-2.lab',
    );
  });

  it('reports an expired certificate', async () => {
    const { coordinator, worker } = await makeIdentities(undefined, Date.now() - 2 * dayMs);
    expect(await words(await serveTls(mutualTls(coordinator)), worker)).toMatch(
      /^join: expected a valid certificate, got .*"lockstep coordinator".*, which expired .*GMT; create new ones/,
    );
  });

  it("does not accept a worker's certificate as a coordinator's", async () => {
    const { worker } = await makeIdentities();
    expect(await words(await serveTls(mutualTls(worker)), worker)).toMatch(
      /got that of "lockstep worker".*INVALID_PURPOSE/,
    );
  });

  it('reports that only one side has TLS', async () => {
    const { coordinator, worker } = await makeIdentities();
    const plain = await serve({});
    expect(await words(plain, worker)).toMatch(/^join: expected a coordinator with TLS 1\.3 at \S+, got one without/);
    expect(await words(await serveTls(mutualTls(coordinator)))).toMatch(
      /^join: expected a coordinator without TLS at \S+, got one with TLS; pass --tls-cert/,
    );
    expect(await words(plain)).toBeUndefined();
  });

  it('reports that the server only has older TLS', async () => {
    const { coordinator, worker } = await makeIdentities();
    const old = await serveTls({ ...mutualTls(coordinator), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    expect(await words(old, worker)).toMatch(/expected a coordinator with TLS 1\.3/);
  });
});
