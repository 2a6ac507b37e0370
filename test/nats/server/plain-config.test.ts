import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { afterEach, describe, expect, it } from 'vitest';
import { readAddress } from '../../../cli/options/nats-options.js';
import { connectionOptions } from '../../../nats/sign-in.js';
import { makeCertificates } from '../../../transport/certificates.js';
import { missing } from './nats-server.js';
import { scratch, secretFile, startServer } from './rig.js';

const variable = 'NATS_TOKEN_QUOTED';
afterEach(() => void delete process.env[variable]);

/** The configuration of the plain manifests, with this machine's paths and a free port for its probes. */
async function startPlain(token: string, host = '127.0.0.1') {
  const directory = scratch();
  const { ca, coordinator } = await makeCertificates({ hosts: [host], days: 1, nowMs: Date.now() });
  mkdirSync(join(directory, 'tls'));
  writeFileSync(join(directory, 'tls/tls.crt'), coordinator.cert);
  writeFileSync(join(directory, 'tls/tls.key'), coordinator.key);
  const text = readFileSync(join(import.meta.dirname, '../../../deploy/plain/components/nats/nats.conf'), 'utf8');
  const config = join(directory, 'nats.conf');
  writeFileSync(
    config,
    text
      .replaceAll('/etc/nats/', `${directory}/`)
      .replace('127.0.0.1:8222', '127.0.0.1:-1')
      .replace(/^ *store_dir.*\n/m, ''),
  );
  process.env[variable] = `"${token}"`;
  const server = await startServer('-c', config);
  return { server, caFile: secretFile(ca) };
}

describe.skipIf(missing !== undefined)("the plain manifests' NATS server (needs nats-server)", () => {
  it.each(['4'.repeat(64), '10k', '1e64', 'a'.repeat(64)])(
    'lets in who has the token %s and trusts its CA, and nobody else',
    async (token) => {
      const { server, caFile } = await startPlain(token);
      const flags = { nats: server.url('tls'), natsTokenFile: secretFile(`${token}\n`), natsCa: caFile };
      const open = (more: object) =>
        connect({ ...connectionOptions(readAddress({ ...flags, ...more })!), reconnect: false });
      const connection = await open({});
      expect(connection.info?.tls_required).toBe(true);
      await connection.close();
      await expect(open({ natsTokenFile: secretFile('another') })).rejects.toThrow(/authorization/i);
      await expect(open({ natsTokenFile: undefined })).rejects.toThrow(/authorization/i);
      await expect(open({ natsCa: undefined })).rejects.toThrow(/certificate/i);
    },
  );

  it('is not accepted as the server at an IP address if its certificate is for localhost', async () => {
    const { server, caFile } = await startPlain('token', 'localhost');
    const address = readAddress({ nats: server.url('tls'), natsTokenFile: secretFile('token'), natsCa: caFile })!;
    await expect(connect({ ...connectionOptions(address), reconnect: false })).rejects.toThrow(/127\.0\.0\.1/);
  });
});
