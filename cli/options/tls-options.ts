import type { Command } from 'commander';
import { JobError } from '../../job/errors.js';
import { firstName, type TlsIdentity, type TlsRole } from '../../transport/tls-identity.js';
import { TlsFiles } from './tls-files.js';

/** Parsed flags of `addTlsOptions` and `addTlsClientOptions`. */
export interface TlsFlags {
  tlsCert?: string;
  tlsKey?: string;
  tlsCa?: string;
  tlsServerName?: string;
}

/** Adds the options of mutual TLS, which must be given together. */
export function addTlsOptions(command: Command): Command {
  return command
    .option(
      '--tls-cert <file>',
      'certificate for mutual TLS, PEM, see lockstep certs; a replaced file is reloaded within 30 s',
    )
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--tls-ca <file>', "CA that must have signed the other side's certificate, PEM");
}

/** Like `addTlsOptions`, for commands that connect to a coordinator. */
export function addTlsClientOptions(command: Command): Command {
  return addTlsOptions(command).option(
    '--tls-server-name <name>',
    "name in the coordinator's certificate if it differs from the host of --coordinator",
  );
}

/**
 * Reads and checks the identity that the options name; undefined without these options.
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
      `TLS: expected --tls-cert, --tls-key and --tls-ca together, got no ${missing.join(', ')}; ` +
        'create all three with lockstep certs',
    );
  }
  return new TlsFiles({ cert: tlsCert, key: tlsKey, ca: tlsCa }, role, tlsServerName);
}

/**
 * Flags for a local worker of a coordinator with this identity. The worker uses the coordinator's certificate, and
 * connects over loopback whatever name the certificate has.
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
