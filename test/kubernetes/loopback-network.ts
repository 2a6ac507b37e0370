import { createServer, type Server } from 'node:net';

/** Bound while a network is in use, so that two clusters on one machine don't share addresses. */
const lockPort = 61_061;
const networks = { first: 16, last: 126 };

/** A network 127.N.0.0/16 of this machine's loopback addresses: services in its first 4,096, pods in its upper half. */
export class LoopbackNetwork {
  #pods = 0;

  private constructor(
    private readonly number: number,
    private readonly lock: Server,
  ) {}

  static async claim(): Promise<LoopbackNetwork> {
    const count = networks.last - networks.first + 1;
    const start = Math.floor(Math.random() * count);
    for (let index = 0; index < count; index++) {
      const number = networks.first + ((start + index) % count);
      const lock = await tryListen(`127.${number}.255.254`);
      if (lock) return new LoopbackNetwork(number, lock);
    }
    throw new Error('loopback network: expected a free one of 127.16 to 127.126, found none');
  }

  get services(): string {
    return `127.${this.number}.0.0/20`;
  }

  /** An address that hasn't been used for the last 32,000 pods of this cluster. */
  podAddress(): string {
    const index = this.#pods++ % 32_000;
    return `127.${this.number}.${128 + Math.floor(index / 254)}.${1 + (index % 254)}`;
  }

  async release(): Promise<void> {
    await new Promise((resolve) => this.lock.close(resolve));
  }
}

function tryListen(host: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(undefined));
    server.listen(lockPort, host, () => resolve(server));
  });
}
