import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';

const channel = 'net.client.socket';

/**
 * Ends connections to these ports on which the server has said nothing for `limitMs`, until the result is called.
 *
 * A server greets first. The client (3.3.1) gives up an attempt whose greeting does not come, as with a frozen server,
 * but leaves its socket open: one more with each attempt, and each keeps the process from ending.
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
