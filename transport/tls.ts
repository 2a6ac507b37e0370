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

/** Both sides are of one release: there is nobody to be lenient with. */
const minVersion = 'TLSv1.3';
const handshakeTimeout = 10_000;

/** Credentials of a channel, and the options that go with them. */
export interface ChannelSecurity {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
}

/**
 * How a client connects: with mutual TLS where it has an identity, else in the clear.
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
 * Options of a TLS connection to `address`, with the name checked that is expected there. What is asked for in the
 * handshake (SNI) may not be an IP address; the coordinator has one certificate for all names.
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

/** The name or IP address that the certificate of the server at `address` must have. */
export function expectedName({ serverName }: TlsIdentity, address: string): string {
  return serverName ?? splitAddress(address).host;
}

/** Host, IPv6 without its brackets, and port of `HOST:PORT`. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

/**
 * Options of a server that asks its clients for a certificate. One without a good one gets through the handshake, and
 * `isTrusted` tells: in TLS 1.3 it would otherwise learn nothing but that the connection is gone.
 */
export function mutualTls({ ca, cert, key }: TlsIdentity): TlsOptions {
  const secureOptions = constants.SSL_OP_NO_TICKET;
  return { ca, cert, key, minVersion, handshakeTimeout, secureOptions, requestCert: true, rejectUnauthorized: false };
}

/**
 * Whether a client of a server with `mutualTls` showed a certificate of the CA in this very handshake. Node.js also
 * calls one authorized that goes on with an earlier session, be it one without a certificate.
 */
export function isTrusted(client: TLSSocket): boolean {
  return client.authorized && !client.isSessionReused() && client.getPeerX509Certificate() !== undefined;
}

/** Options of a server for browsers, which have no certificate of the cluster. */
export function pageTls({ cert, key }: TlsIdentity): TlsOptions {
  return { cert, key, minVersion, handshakeTimeout };
}
