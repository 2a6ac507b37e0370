import type { Socket } from 'node:net';

/** Connections taken in before other events get their turn: each costs some half a millisecond, with TLS one or two. */
const perTurn = 24;

/** Hands new connections on a few at a time, so that hundreds that come at once do not hold the event loop up. */
export class Arrivals {
  #waiting: Socket[] = [];
  #next: NodeJS.Immediate | undefined;

  constructor(private readonly handOn: (socket: Socket) => void) {}

  add(socket: Socket): void {
    socket.on('error', () => undefined);
    this.#waiting.push(socket);
    this.#next ??= setImmediate(() => this.#turn());
  }

  #turn(): void {
    for (const socket of this.#waiting.splice(0, perTurn)) if (!socket.destroyed) this.handOn(socket);
    this.#next = this.#waiting.length > 0 ? setImmediate(() => this.#turn()) : undefined;
  }
}
