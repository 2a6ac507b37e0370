import { JobError } from '../job/errors.js';
import { maxNatsUrl, natsUrlPattern } from '../transport/nats-url.js';
import { isLoopback } from '../transport/listen.js';
import { jobNamePattern } from './names.js';

/** Credentials for NATS. Secret: never log them. */
export type NatsSignIn =
  /** Content of a credentials file: user JWT and seed. */
  { readonly creds: Uint8Array } | { readonly token: string } | { readonly user: string; readonly pass: string };

/** Address and credentials of NATS. */
export interface NatsAddress {
  /** `host:port` of each server. */
  readonly servers: readonly string[];
  /** Reject a server without TLS. */
  readonly tls: boolean;
  /** CAs that may sign its certificate, PEM, instead of the system's. */
  readonly ca?: string;
  readonly signIn?: NatsSignIn;
}

/**
 * Reads `nats://host[:port]`, or several separated by commas; `tls://` requires TLS.
 * @throws JobError BAD_OPTION; its message has no secrets from the text.
 */
export function parseNatsUrl(text: string): NatsAddress {
  if (text.includes('@')) {
    throw badUrl(
      'an address without user, password or token, because process and pod listings show it',
      'one with "@"; pass --nats-creds FILE, --nats-token-file FILE, or --nats-user NAME with --nats-password-file FILE',
    );
  }
  const url = text.replaceAll(/,\s+/g, ',');
  if (url.length > maxNatsUrl || !natsUrlPattern.test(url)) {
    const expected = 'nats://HOST:PORT or tls://HOST:PORT, or several of one kind, separated by commas';
    throw badUrl(expected, JSON.stringify(text.slice(0, 100)));
  }
  return { servers: url.split(',').map(serverOf), tls: url.startsWith('tls:') };
}

/** URLs of the servers, without secrets. */
export function describeAddress({ servers }: NatsAddress): string {
  return servers.map((server) => `nats://${server}`).join(',');
}

/**
 * Refuses to send credentials to another machine without TLS, unless `--insecure` allows it.
 * @throws JobError BAD_OPTION
 */
export function checkSignIn(address: NatsAddress, insecure: boolean): void {
  if (address.signIn === undefined || address.tls || insecure || isLocal(address)) return;
  throw new JobError(
    'BAD_OPTION',
    `--nats ${describeAddress(address)}: expected tls:// to send credentials to another machine, got nats://, which sends ` +
      'them in plain text; use tls:// (with --nats-ca FILE for your own CA), or --insecure if the network is trusted',
  );
}

/**
 * Refuses to let accounts of another machine's server control a run or change its checkpoints, unless `--insecure`
 * allows it.
 * @throws JobError BAD_OPTION
 */
export function checkToken(address: NatsAddress, token: string | undefined, insecure: boolean): void {
  if (token !== undefined || insecure || isLocal(address)) return;
  throw new JobError(
    'BAD_OPTION',
    `--nats ${describeAddress(address)}: expected a token beyond loopback, got none; any account of that server could stop ` +
      'the run or replace its checkpoints: pass --token-file FILE (create one with openssl rand -hex 32), or --insecure if ' +
      'you trust all its accounts',
  );
}

/** @throws JobError BAD_OPTION */
export function checkJobName(name: string): string {
  if (jobNamePattern.test(name)) return name;
  throw new JobError(
    'BAD_OPTION',
    `--nats-job: expected 1 to 160 letters, digits, "-" and "_", got ${JSON.stringify(name.slice(0, 80))}`,
  );
}

function isLocal({ servers }: NatsAddress): boolean {
  return servers.every((server) => isLoopback(server.slice(0, server.lastIndexOf(':')).replaceAll(/[[\]]/g, '')));
}

function serverOf(url: string): string {
  const server = url.replace(/^[a-z]+:\/\//, '').replace(/\/$/, '');
  return /:\d+$/.test(server.replace(/^\[.*\]/, '')) ? server : `${server}:4222`;
}

function badUrl(expected: string, found: string): JobError {
  return new JobError('BAD_OPTION', `--nats: expected ${expected}, got ${found}`);
}
