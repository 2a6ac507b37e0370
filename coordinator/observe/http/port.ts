import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { JobError } from '../../../job/errors.js';
import type { TlsIdentity } from '../../../proto/identity.js';
import { pageTls } from '../../../proto/tls.js';
import { formatEndpoint } from '../../listen.js';
import type { HttpPlace } from './decide.js';

/** Sockets at a time; a browser takes six. */
const maxConnections = 256;

/** Takes the port of the page, for HTTPS where there is TLS. @throws JobError BAD_OPTION when it cannot be had. */
export async function takePort(place: HttpPlace, tls?: TlsIdentity): Promise<Server> {
  const server = tls ? createTlsServer(pageTls(tls)) : createServer();
  server.maxConnections = maxConnections;
  try {
    await listen(server, place.host, place.port);
  } catch (cause) {
    if (!place.anyPort) throw cannotListen(place, cause as Error);
    await listen(server, place.host, 0);
  }
  return server;
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function cannotListen(place: HttpPlace, cause: Error): JobError {
  return new JobError(
    'BAD_OPTION',
    `--http ${formatEndpoint(place)}: expected a free port of this machine, got ${cause.message}; ` +
      'pass another --http [HOST:]PORT (0 takes a free one), or --no-http',
    { cause },
  );
}
