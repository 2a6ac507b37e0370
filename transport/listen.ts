import { isIPv6 } from 'node:net';
import { JobError } from '../job/errors.js';
import type { TlsIdentity } from './tls-identity.js';

/** Protection of a server. */
export interface Protection {
  readonly token?: string | undefined;
  readonly tls?: TlsIdentity | undefined;
  /** Listen beyond loopback without a token, without TLS, or without both. */
  readonly insecure?: boolean | undefined;
}

/** Address and protection of a server. */
export interface ListenOptions extends Protection {
  /** `HOST:PORT` or `[IPv6]:PORT`; port 0 takes a free one. */
  readonly listen: string;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @throws JobError BAD_OPTION if `text` isn't `HOST:PORT`. */
export function parseEndpoint(text: string, option: string): Endpoint {
  const match = /^(\[(?<six>[0-9a-fA-F:.]+)\]|(?<host>[^:[\]\s]+)):(?<port>\d{1,5})$/.exec(text);
  const port = Number(match?.groups?.['port']);
  const host = match?.groups?.['six'] ?? match?.groups?.['host'];
  if (host === undefined || !(port <= 65535)) {
    throw new JobError('BAD_OPTION', `${option}: expected HOST:PORT with a port of 0 to 65535, got "${text}"`);
  }
  return { host, port };
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** True if only processes of this machine can reach `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/**
 * Decides where to listen: on loopback without conditions, elsewhere only with TLS and a token, or with `insecure`.
 * @throws JobError BAD_OPTION
 */
export function decideListen({ listen, ...protection }: ListenOptions): Endpoint {
  const endpoint = parseEndpoint(listen, '--listen');
  if (!isLoopback(endpoint.host)) {
    checkProtection(
      `--listen ${listen}`,
      protection,
      'anyone who reaches this port could join the job or read its data',
    );
  }
  return endpoint;
}

/**
 * Refuses to listen beyond loopback without TLS and token, unless `insecure` is set.
 * @param option - the option with the address, and its value.
 * @param danger - possible consequences, in words.
 * @throws JobError BAD_OPTION
 */
export function checkProtection(option: string, { tls, token, insecure }: Protection, danger: string): void {
  if ((tls && token !== undefined) || insecure) return;
  const found = tls ? 'no token' : token === undefined ? 'neither' : 'no TLS';
  const missing = [
    ...(tls ? [] : ['--tls-cert, --tls-key and --tls-ca (lockstep certs makes them)']),
    ...(token === undefined ? ['--token-file FILE (openssl rand -hex 32 makes one)'] : []),
  ];
  throw new JobError(
    'BAD_OPTION',
    `${option}: expected TLS and a token beyond loopback, got ${found}; ${danger}: ` +
      `pass ${missing.join(' and ')}, or --insecure where the network is trusted`,
  );
}
