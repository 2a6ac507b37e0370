import { JobError } from '../../../job/errors.js';
import { jobNamePattern } from './names.js';

/** Where NATS is and how to sign in. Holds secrets: never log it. */
export interface NatsAddress {
  /** `host:port` of each server. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
}

/**
 * Reads `nats://[user:password@|token@]host[:port]`, or several of them with commas between; `tls://` insists on TLS.
 * @throws JobError BAD_OPTION, without the secrets.
 */
export function parseNatsUrl(text: string): NatsAddress {
  const urls = text.split(',').map((part) => parseOne(part.trim()));
  const [first] = urls;
  const signIn = ({ username, password }: URL) => `${username}:${password}`;
  if (urls.some((url) => signIn(url) !== signIn(first!) || url.protocol !== first!.protocol)) {
    throw badUrl('the same scheme, user and password for all servers', 'several');
  }
  const [user, pass] = [decode(first!.username), decode(first!.password)];
  const secret = user === '' ? {} : pass === '' ? { token: user } : { user, pass };
  const servers = urls.map(({ hostname, port }) => `${hostname}:${port === '' ? '4222' : port}`);
  return { servers, tls: first!.protocol === 'tls:', ...secret };
}

/** What may be printed of an address. */
export function describeAddress({ servers }: NatsAddress): string {
  return servers.map((server) => `nats://${server}`).join(',');
}

/** @throws JobError BAD_OPTION */
export function checkJobName(name: string): string {
  if (jobNamePattern.test(name)) return name;
  throw new JobError(
    'BAD_OPTION',
    `--nats-job: expected 1 to 64 letters, digits, "-" and "_", got ${JSON.stringify(name.slice(0, 80))}`,
  );
}

function parseOne(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const schemes = ['nats:', 'tls:'];
  if (url && schemes.includes(url.protocol) && url.hostname !== '' && /^\/?$/.test(url.pathname)) return url;
  throw badUrl('nats://HOST:PORT or tls://HOST:PORT', `"${text.replace(/\/\/[^@]*@/, '//…@').slice(0, 100)}"`);
}

/** A sign-in as it was before it was put into a URL. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badUrl('a user and password with % written as %25', 'one that cannot be decoded');
  }
}

function badUrl(expected: string, found: string): JobError {
  return new JobError('BAD_OPTION', `--nats: expected ${expected}, got ${found}`);
}
