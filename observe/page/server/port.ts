import { createServer, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { JobError } from '../../../job/errors.js';
import type { TlsIdentity } from '../../../transport/tls-identity.js';
import { pageTls } from '../../../transport/tls.js';
import { Admission } from '../../../transport/admission/admission.js';
import { pagePortLimits } from '../../../transport/admission/limits.js';
import { type Endpoint, formatEndpoint } from '../../../transport/listen.js';
import type { HttpPlace } from './decide.js';

/** Time limits for a request's headers, for the whole request, and between two requests. */
const timeLimits = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
} satisfies ServerOptions;

/** Open sockets in any state, to leave file descriptors for files; `Admission` has lower limits. */
const maxConnections = 1_024;

export interface PagePort {
  readonly server: Server;
  readonly admission: Admission;
}

/** Opens the page's port, with HTTPS if TLS is on. @throws JobError BAD_OPTION when it isn't available. */
export async function takePort(place: HttpPlace, tls?: TlsIdentity): Promise<PagePort> {
  const server = tls ? createPageServer(tls) : createServer(timeLimits);
  server.maxConnections = maxConnections;
  const admission = admitTo(server);
  try {
    await listenOn(server, place);
  } catch (cause) {
    if (!place.anyPort) throw cannotListen('--http', place, cause as Error, ', or --no-http');
    await listenOn(server, { ...place, port: 0 });
  }
  return { server, admission };
}

function createPageServer(tls: TlsIdentity): Server {
  const server = createTlsServer({ ...pageTls(tls), ...timeLimits });
  tls.onChange?.(() => server.setSecureContext(pageTls(tls)));
  return server;
}

/** Inserts an admission between the listening socket and the server's connection handler. */
function admitTo(server: Server): Admission {
  const serve = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  const admission = new Admission(pagePortLimits, (socket) =>
    serve.forEach((listener) => listener.call(server, socket)),
  );
  server.on('connection', (socket: Socket) => admission.add(socket));
  return admission;
}

/** @throws the system's error if the port isn't available. */
export function listenOn(server: Server, { host, port }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** @param otherwise - alternatives to passing another port. */
export function cannotListen(option: string, place: Endpoint, cause: Error, otherwise = ''): JobError {
  return new JobError(
    'BAD_OPTION',
    `${option} ${formatEndpoint(place)}: expected a free port of this machine, got ${cause.message}; ` +
      `pass another ${option} [HOST:]PORT (0 takes a free one)${otherwise}`,
    { cause },
  );
}
