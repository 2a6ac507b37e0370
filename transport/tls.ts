import { constants } from 'node:crypto';
import { isIP } from 'node:net';
import {
  checkServerIdentity,
  type ConnectionOptions,
  createSecureContext,
  type TlsOptions,
  type TLSSocket,
} from 'node:tls';
import { ChannelCredentials, type ChannelOptions } from '@grpc/grpc-js';
import type { TlsIdentity } from './tls-identity.js';

/** Both sides have the same version, so no older protocol is needed. */
const minVersion = 'TLSv1.3';
const handshakeTimeout = 10_000;

/** Credentials of a channel, and its options. */
export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

/**
 * Security of a client's channel: mutual TLS if it has an identity, otherwise none.
 * @param address - `HOST:PORT` of the server.
 */
export function channelSecurity(tls: TlsIdentity | undefined, address: string): ChannelSecurity {
  if (!tls) return { credentials: ChannelCredentials.createInsecure(), options: {} };
  const { servername, secureContext, ...verify } = clientTls(tls, address);
  return {
    credentials: ChannelCredentials.createFromSecureContext(secureContext!, verify),
    options: { 'grpc.ssl_target_name_override': servername! },
  };
}

/**
 * Options of a TLS connection to `address`, which verify the expected name. The name in the handshake (SNI) must not be
 * an IP address; the coordinator has one certificate for all names.
 */
export function clientTls(
  tls: TlsIdentity,
  address: string,
): Pick<ConnectionOptions, 'servername' | 'secureContext'> & {
  readonly checkServerIdentity: NonNullable<ConnectionOptions['checkServerIdentity']>;
} {
  const { ca, cert, key } = tls;
  const name = expectedName(tls, address);
  return {
    secureContext: createSecureContext({ ca, cert, key, minVersion }),
    servername: isIP(name) === 0 ? name : 'lockstep',
    checkServerIdentity: (_asked, certificate) => checkServerIdentity(name, certificate),
  };
}

/** Name or IP address that the certificate of the server at `address` must contain. */
export function expectedName({ serverName }: TlsIdentity, address: string): string {
  return serverName ?? splitAddress(address).host;
}

/** Host and port of `HOST:PORT`; IPv6 without brackets. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

/**
 * Options of a server that requests client certificates. A client without a valid one completes the handshake and is
 * rejected by `isTrusted`. In TLS 1.3 it would otherwise see only a closed connection.
 */
export function mutualTls({ ca, cert, key }: TlsIdentity): TlsOptions {
  const secureOptions = constants.SSL_OP_NO_TICKET;
  return { ca, cert, key, minVersion, handshakeTimeout, secureOptions, requestCert: true, rejectUnauthorized: false };
}

/**
 * True if a client of a server with `mutualTls` presented a certificate of the CA in this handshake. For a resumed
 * session, `authorized` may be true even if the client never presented one.
 */
export function isTrusted(client: TLSSocket): boolean {
  return client.authorized && !client.isSessionReused() && client.getPeerX509Certificate() !== undefined;
}

/** Options of a server for browsers, which have no client certificate. */
export function pageTls({ cert, key }: TlsIdentity): TlsOptions {
  return { cert, key, minVersion, handshakeTimeout };
}
