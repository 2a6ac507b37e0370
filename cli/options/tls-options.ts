import type { Command } from 'commander';
import { JobError } from '../../job/errors.js';
import { firstName, type TlsIdentity, type TlsRole } from '../../transport/tls-identity.js';
import { TlsFiles } from './tls-files.js';

/** What `addTlsOptions` and `addTlsClientOptions` add, as parsed. */
export interface TlsFlags {
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  tlsServerName?: string;
}

/** Options of mutual TLS; they come all or none. */
export function addTlsOptions(command: Command): Command {
  return command
    .option(
      '--tls-cert <file>',
      'own certificate for mutual TLS, PEM; create one with lockstep certs; replaced files are reloaded within 30 s',
    )
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--tls-ca <file>', "the CA that the other side's certificate must be signed by, PEM");
}

/** As `addTlsOptions`, for those who connect to a coordinator. */
export function addTlsClientOptions(command: Command): Command {
  return addTlsOptions(command).option(
    '--tls-server-name <name>',
    "name in the coordinator's certificate, where it is not the host of --coordinator",
  );
}

/**
 * Reads and checks the identity that the options name; undefined if they name none.
 * @throws JobError BAD_OPTION
 */
export function readTls(flags: TlsFlags, role: TlsRole): TlsFiles | undefined {
  const { tlsCert, tlsKey, tlsCa, tlsServerName } = flags;
  const given = { '--tls-cert': tlsCert, '--tls-key': tlsKey, '--tls-ca': tlsCa };
  const missing = Object.entries(given).flatMap(([option, file]) => (file === undefined ? [option] : []));
  if (tlsCert === undefined || tlsKey === undefined || tlsCa === undefined) {
    if (missing.length === 3 && tlsServerName === undefined) return undefined;
    throw new JobError(
      'BAD_OPTION',
      `TLS: expected --tls-cert, --tls-key and --tls-ca together, got none of ${missing.join(', ')}; ` +
        'lockstep certs makes all three',
    );
  }
  return new TlsFiles({ cert: tlsCert, key: tlsKey, ca: tlsCa }, role, tlsServerName);
}

/**
 * Options for a local worker of a coordinator with this identity. It shows the coordinator's own certificate, and
 * connects by loopback whatever name that has.
 */
export function localWorkerTls(flags: TlsFlags, tls: TlsIdentity | undefined): string[] {
  const { tlsCert, tlsKey, tlsCa } = flags;
  if (!tls || tlsCert === undefined || tlsKey === undefined || tlsCa === undefined) return [];
  const name = firstName(tls.cert);
  return [
    ...['--tls-cert', tlsCert, '--tls-key', tlsKey, '--tls-ca', tlsCa],
    ...(name === undefined ? [] : ['--tls-server-name', name]),
  ];
}
