import {
  checkProtection,
  type Endpoint,
  isLoopback,
  parseEndpoint,
  type Protection,
} from '../../../transport/listen.js';

/** The page's default port. */
export const defaultHttpPort = 8061;

export interface HttpOptions extends Protection {
  /** `[HOST:]PORT`; false: no page; undefined: decided by `httpByDefault`. */
  readonly http?: string | false | undefined;
  /** True if the page is served on loopback by default. */
  readonly httpByDefault?: boolean;
}

export interface HttpPlace extends Endpoint {
  /** True if any other port is acceptable, because the user named none. */
  readonly anyPort: boolean;
}

/**
 * Address of the live page, if any: loopback is always allowed, other addresses only with TLS and a token, or with an
 * explicit option to do without.
 * @throws JobError BAD_OPTION
 */
export function decideHttp({ http, httpByDefault, ...protection }: HttpOptions): HttpPlace | undefined {
  if (http === false || (http === undefined && !httpByDefault)) return undefined;
  if (http === undefined) return { host: '127.0.0.1', port: defaultHttpPort, anyPort: true };
  const endpoint = parseEndpoint(/^\d+$/.test(http) ? `127.0.0.1:${http}` : http, '--http');
  if (!isLoopback(endpoint.host)) {
    checkProtection(`--http ${http}`, protection, 'anyone who reaches this port could observe the run');
  }
  return { ...endpoint, anyPort: false };
}

/**
 * True if a `Host` header names this machine's loopback. A web site whose name was made to point here (DNS rebinding)
 * names itself there.
 */
export function isLoopbackHost(header: string | undefined): boolean {
  const host = /^(\[[0-9a-fA-F:.]+\]|[^:]+)(:\d{1,5})?$/.exec(header ?? '')?.[1];
  return host !== undefined && isLoopback(host.replace(/^\[|\]$/g, ''));
}
