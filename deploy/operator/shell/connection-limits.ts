import type { Server, Socket } from 'node:net';

export interface ConnectionLimits {
  /** Open connections from one address, and in all. */
  readonly perAddress: number;
  readonly total: number;
}

/**
 * Keeps a server's newest connections: where there are too many, the oldest of the address that has most is closed.
 *
 * A limit that refuses new connections instead would let whoever holds old ones open keep everybody out. A probe needs
 * milliseconds, so that it is done before its connection is among the oldest.
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

/** `close` comes later; a set keeps the order in which sockets came. */
function closeOldest(sockets: Set<Socket>): void {
  for (const socket of sockets) {
    if (socket.destroyed) continue;
    socket.destroy();
    return;
  }
}
