import { isIPv6 } from 'node:net';
import { JobError } from '../job/errors.js';

/** Where a server listens, and what protects it there. */
export interface ListenOptions {
  /** `HOST:PORT` or `[IPv6]:PORT`; port 0 takes a free one. */
  readonly listen: string;
  readonly token?: string | undefined;
  /** Listen beyond loopback without a token. */
  readonly insecure?: boolean | undefined;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** @throws JobError BAD_OPTION when `text` is no `HOST:PORT`. */
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

/** Whether only processes of this machine can reach `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}

/**
 * Where to listen: anywhere on loopback; elsewhere only with a token, or when told to do without.
 * @throws JobError BAD_OPTION
 */
export function decideListen({ listen, token, insecure }: ListenOptions): Endpoint {
  const endpoint = parseEndpoint(listen, '--listen');
  if (isLoopback(endpoint.host) || token !== undefined || insecure) return endpoint;
  throw new JobError(
    'BAD_OPTION',
    `--listen ${listen}: expected --token-file beyond loopback, got none; ` +
      'anyone who reaches this port could join the job: pass --token-file FILE (the same on every worker), or --insecure',
  );
}
