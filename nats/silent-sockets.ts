import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const channel = 'net.client.socket';

/**
 * Closes connections to these ports on which the server has sent nothing for `limitMs`, until the result is called.
 *
 * The server sends the first message. If it doesn't, as when it is frozen, the client (3.3.1) gives up but leaves the
 * socket open. Each attempt would leak a socket, and each socket keeps the process alive.
 */
export function endSilentSockets(ports: readonly number[], limitMs: number): () => void {
  const silent = new Set<Socket>();
  const watch = (socket: Socket): void => {
    if (!ports.includes(socket.remotePort ?? -1)) return;
    silent.add(socket);
    const end = () => {
      if (socket.bytesRead === 0) socket.destroy();
      silent.delete(socket);
    };
    setTimeout(end, limitMs).unref();
  };
  const onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    socket.once('connect', () => watch(socket));
  };
  subscribe(channel, onSocket);
  return () => {
    unsubscribe(channel, onSocket);
    for (const socket of silent) if (socket.bytesRead === 0) socket.destroy();
  };
}
