import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/**
 * Forwards TCP connections to another port of this machine, as a cable that tests can cut. Held: nothing passes in
 * either direction and neither end notices. Severed: both ends see their connections reset.
 */
export class TcpCable {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #held = false;

  private constructor(
    private readonly server: Server,
    private readonly targetPort: () => number,
  ) {}

  /** @param targetPort - asked at each new connection, as the target may be restarted elsewhere. */
  static async open(targetPort: () => number): Promise<TcpCable> {
    const server = createServer({ noDelay: true });
    const cable = new TcpCable(server, targetPort);
    server.on('connection', (near) => cable.#connected(near));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return cable;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /**
   * Lets nothing pass until `release`; data sent meanwhile arrives afterwards, as with lost and retransmitted packets.
   */
  hold(): void {
    this.#held = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  release(): void {
    this.#held = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  /** Resets all connections; new ones are accepted. @returns how many were open at both ends. */
  sever(): number {
    const pairs = [...this.#pairs];
    const open = pairs.filter((pair) => pair.every((socket) => !socket.destroyed)).length;
    for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
    return open;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.sever();
    await closed;
  }

  #connected(near: Socket): void {
    const far = connect({ port: this.targetPort(), host: '127.0.0.1', noDelay: true });
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    this.#forward(pair, near, far);
    this.#forward(pair, far, near);
  }

  #forward(pair: readonly [Socket, Socket], from: Socket, to: Socket): void {
    from.on('data', (data) => {
      if (!to.write(data)) from.pause();
    });
    to.on('drain', () => {
      if (!this.#held) from.resume();
    });
    from.on('error', () => to.destroy());
    // An unread socket never notices its peer's end, so the other one is read to its own end.
    from.on('close', () => {
      if (to.destroyed) this.#pairs.delete(pair);
      to.end();
      if (!this.#held) to.resume();
    });
    if (this.#held) from.pause();
  }
}
