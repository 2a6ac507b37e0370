import { connect, type TLSSocket } from 'node:tls';
import { ClusterError } from '../proto/errors.js';
import type { TlsIdentity } from './tls-identity.js';
import { clientTls, expectedName, splitAddress } from './tls.js';

const limitMs = 2_000;

/** Outcome of a handshake: a socket with the server's certificate, an error code, or no response in time. */
type Handshake =
  | { readonly outcome: 'done'; readonly socket: TLSSocket }
  | { readonly outcome: 'failed'; readonly code: string }
  | { readonly outcome: 'silence' };

/**
 * Finds out whether a call failed because of TLS, which gRPC reports like an unreachable server. Connects once, sends
 * nothing, and examines the server's certificate.
 * @param address - `HOST:PORT` of the unreachable server.
 * @returns undefined if TLS is not the cause.
 */
export async function diagnoseTls(
  operation: string,
  address: string,
  tls: TlsIdentity | undefined,
): Promise<ClusterError | undefined> {
  const handshake = await shakeHands(address, tls);
  const problem = tls ? judge(handshake, tls, address) : judgePlain(handshake, address);
  if (handshake.outcome === 'done') handshake.socket.destroy();
  return problem === undefined ? undefined : new ClusterError('UNTRUSTED', `${operation}: ${problem}`);
}

/** Never sends anything over the connection, so it may be completed with any server. */
function shakeHands(address: string, tls: TlsIdentity | undefined): Promise<Handshake> {
  // Without `ca`, Node.js would read all public CAs first.
  const security = tls ? clientTls(tls, address) : { ca: [] };
  return new Promise((resolve) => {
    const to = { ...splitAddress(address), ...security, ALPNProtocols: ['h2'], rejectUnauthorized: false };
    const socket = connect(to, () => settle({ outcome: 'done', socket }));
    const timer = setTimeout(() => settle({ outcome: 'silence' }), limitMs);
    const settle = (handshake: Handshake) => {
      clearTimeout(timer);
      if (handshake.outcome !== 'done') socket.destroy();
      resolve(handshake);
    };
    socket.on('error', (error: NodeJS.ErrnoException) => settle({ outcome: 'failed', code: error.code ?? '' }));
  });
}

function judgePlain(handshake: Handshake, address: string): string | undefined {
  if (handshake.outcome !== 'done') return undefined;
  return (
    `expected a coordinator without TLS at ${address}, got one with TLS; ` + 'pass --tls-cert, --tls-key and --tls-ca'
  );
}

function judge(handshake: Handshake, tls: TlsIdentity, address: string): string | undefined {
  if (handshake.outcome === 'silence') return undefined;
  if (handshake.outcome === 'failed') return judgeFailure(handshake.code, address);
  const { socket } = handshake;
  if (socket.authorized) return undefined;
  const code = String(socket.authorizationError);
  const { subject, issuer, subjectaltname, valid_to } = socket.getPeerCertificate();
  const found = `that of "${String(subject?.CN)}", signed by "${String(issuer?.CN)}"`;
  switch (code) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return (
        `expected a certificate for ${expectedName(tls, address)}, got one for ${subjectaltname ?? 'no name'}; ` +
        'use one of these names, pass --tls-server-name, or create certificates with lockstep certs --host'
      );
    case 'CERT_HAS_EXPIRED':
      return `expected a valid certificate, got ${found}, which expired ${valid_to}; create new ones with lockstep certs`;
    default:
      return (
        `expected a coordinator with a certificate of the CA in --tls-ca at ${address}, got ${found} (${code}); ` +
        "pass the CA of the coordinator's certificate"
      );
  }
}

/** Describes a handshake to which the server replied with something other than TLS 1.3. */
function judgeFailure(code: string, address: string): string | undefined {
  if (!code.startsWith('ERR_SSL_') && code !== 'EPROTO') return undefined;
  return (
    `expected a coordinator with TLS 1.3 at ${address}, got one without (${code}); ` +
    'start it with --tls-cert, --tls-key and --tls-ca, or leave them out here'
  );
}
