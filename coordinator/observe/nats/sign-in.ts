import { credsAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { NatsAddress } from './address.js';

/** Where to connect, and as whom. */
export function connectionOptions({ servers, tls, ca, signIn }: NatsAddress): NodeConnectionOptions {
  const options = { servers: [...servers], ...(tls && { tls: ca === undefined ? {} : { ca } }) };
  if (signIn === undefined) return options;
  return 'creds' in signIn
    ? { ...options, authenticator: credsAuthenticator(signIn.creds) }
    : { ...options, ...signIn };
}
