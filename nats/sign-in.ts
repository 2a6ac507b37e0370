import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import { credsAuthenticator, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { NatsAddress } from './address.js';

/** Address and credentials as options of the client. */
export function connectionOptions({ servers, tls, ca, signIn }: NatsAddress): NodeConnectionOptions {
  const options = { servers: [...servers], ...(tls && { tls: tlsOptions(servers, ca) }) };
  if (signIn === undefined) return options;
  return 'creds' in signIn
    ? { ...options, authenticator: credsAuthenticator(signIn.creds) }
    : { ...options, ...signIn };
}

/** The client (3.3.1) passes these on to Node.js, though its types don't list the last one. */
function tlsOptions(servers: readonly string[], ca: string | undefined) {
  const hosts = servers.map((server) => server.slice(0, server.lastIndexOf(':')).replaceAll(/[[\]]/g, ''));
  return {
    ...(ca !== undefined && { ca }),
    checkServerIdentity: (name: string, certificate: PeerCertificate) => {
      // For an IP address the client passes no host, and Node.js would expect a certificate for localhost.
      const allowed = hosts.includes(name) || !hosts.some(isIP) ? [name] : hosts.filter(isIP);
      const problems = allowed.map((host) => checkServerIdentity(host, certificate));
      return problems.includes(undefined) ? undefined : problems[0];
    },
  };
}
