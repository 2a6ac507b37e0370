import type { Server, Socket } from 'node:net';

export interface ConnectionLimits {
  /** Open connections from one address, and in total. */
  readonly perAddress: number;
  readonly total: number;
}

/**
 * Keeps a server's newest connections: when there are too many, the oldest of the address with the most is closed.
 *
 * Rejecting new connections instead would let an attacker who holds old ones block everybody. A probe takes
 * milliseconds, so it completes before its connection is among the oldest.
 */
export function limitConnections(server: Server, { perAddress, total }: ConnectionLimits): void {
  const open = new Map<string, Set<Socket>>();
  let count = 0;
  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? '';
    const sockets = open.get(address) ?? new Set();
    open.set(address, sockets.add(socket));
    count += 1;
    socket.once('close', () => {
      count -= 1;
      sockets.delete(socket);
      if (sockets.size === 0) open.delete(address);
    });
    if (sockets.size > perAddress) closeOldest(sockets);
    else if (count > total) closeOldest([...open.values()].reduce((most, one) => (one.size > most.size ? one : most)));
  });
}

/** Closes the oldest socket. Destroyed ones stay in the set until their `close` event. */
function closeOldest(sockets: Set<Socket>): void {
  for (const socket of sockets) {
    if (socket.destroyed) continue;
    socket.destroy();
    return;
  }
}
