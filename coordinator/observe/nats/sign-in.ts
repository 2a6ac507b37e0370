import { credsAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { NatsAddress } from './address.js';

/** Where to connect, and as whom. @param creds - content of a credentials file. */
export function signIn(address: NatsAddress, creds: Uint8Array | undefined): NodeConnectionOptions {
  const { servers, tls, user, pass, token } = address;
  return {
    servers: [...servers],
    ...(tls && { tls: {} }),
    ...(user !== undefined && { user, pass: pass ?? '' }),
    ...(token !== undefined && { token }),
    ...(creds && { authenticator: credsAuthenticator(creds) }),
  };
}
