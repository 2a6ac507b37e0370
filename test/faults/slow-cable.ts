import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Payload of a packet; connections that share a wire take turns packet by packet. */
const packetBytes = 1_448;

/** The sending capacity of one host, shared by all of its connections. */
export class Wire {
  #freeMs = 0;

  constructor(private readonly bitsPerSecond: number) {}

  /** Resolves when the last bit has passed. */
  async carry(bytes: number): Promise<void> {
    const nowMs = performance.now();
    this.#freeMs = Math.max(nowMs, this.#freeMs) + (bytes * 8_000) / this.bitsPerSecond;
    await sleep(this.#freeMs - nowMs);
  }
}

/**
 * Forwards TCP connections to another port of this machine, no faster than the wires of the two hosts it connects. The
 * kernel buffers waiting data, as it does for a slow network.
 */
export class SlowCable {
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  /** @param up - wire of the side that connects. @param down - that of the side at `targetPort`. */
  static async open(targetPort: number, up: Wire, down: Wire): Promise<SlowCable> {
    const server = createServer({ noDelay: true });
    const cable = new SlowCable(server);
    server.on('connection', (near) => {
      const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
      void cable.#pump(near, far, up);
      void cable.#pump(far, near, down);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return cable;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #pump(from: Socket, to: Socket, wire: Wire): Promise<void> {
    this.#sockets.add(from);
    try {
      for await (const data of from as AsyncIterable<Buffer>) {
        for (let begin = 0; begin < data.length; begin += packetBytes) {
          const packet = data.subarray(begin, begin + packetBytes);
          await wire.carry(packet.length);
          to.write(packet);
        }
      }
    } catch {
      // The other side sees the end.
    }
    this.#sockets.delete(from);
    to.destroySoon();
  }
}
