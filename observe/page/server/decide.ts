import {
  checkProtection,
  type Endpoint,
  isLoopback,
  parseEndpoint,
  type Protection,
} from '../../../transport/listen.js';

/** Where the page is, unless told otherwise. */
export const defaultHttpPort = 8061;

export interface HttpOptions extends Protection {
  /** `[HOST:]PORT`; false: no page; undefined: as `byDefault` says. */
  readonly http?: string | false | undefined;
  /** Whether there is a page on loopback when nothing was said. */
  readonly httpByDefault?: boolean;
}

export interface HttpPlace extends Endpoint {
  /** Whether another port will do, as nobody asked for this one. */
  readonly anyPort: boolean;
}

/**
 * Where the live page is served, if at all: anywhere on loopback; elsewhere only with TLS and a token, or when told
 * to do without.
 * @throws JobError BAD_OPTION
 */
export function decideHttp({ http, httpByDefault, ...protection }: HttpOptions): HttpPlace | undefined {
  if (http === false || (http === undefined && !httpByDefault)) return undefined;
  if (http === undefined) return { host: '127.0.0.1', port: defaultHttpPort, anyPort: true };
  const endpoint = parseEndpoint(/^\d+$/.test(http) ? `127.0.0.1:${http}` : http, '--http');
  if (!isLoopback(endpoint.host)) {
    checkProtection(`--http ${http}`, protection, 'anyone who reaches this port could look on');
  }
  return { ...endpoint, anyPort: false };
}

/**
 * Whether a `Host` header names this machine's loopback. A page of some web site whose name was made to point here
 * (DNS rebinding) names that site.
 */
export function isLoopbackHost(header: string | undefined): boolean {
  const host = /^(\[[0-9a-fA-F:.]+\]|[^:]+)(:\d{1,5})?$/.exec(header ?? '')?.[1];
  return host !== undefined && isLoopback(host.replace(/^\[|\]$/g, ''));
}
