import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { countedAddress } from '../../../transport/admission/address.js';
import { decideRoom } from '../../../transport/admission/decide-admission.js';
import { type Endpoint, formatEndpoint, parseEndpoint } from '../../../transport/listen.js';
import { answerHealth } from './health.js';
import { cannotListen, listenOn } from './port.js';

/** Lifetime of a connection, from its first packet to the end of the answer. */
const limitMs = 2_000;
/** Open connections; a probe needs one for a moment. */
const maxOpen = { perAddress: 16, total: 256 };

/**
 * A port for health probes only: plain HTTP, where `GET /healthz` answers `ok` to everyone while the event loop runs.
 * A connection ends after one response. When there are too many, the oldest is closed, so nobody can block probes by
 * holding connections open.
 */
export class HealthPort {
  /** Open connections in order of arrival: by address, and all of them. */
  readonly #byAddress = new Map<string, Set<Socket>>();
  readonly #open = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly host: string,
  ) {
    server.on('connection', (socket: Socket) => this.#add(socket));
    server.on('request', answer);
    server.on('error', () => undefined);
  }

  /**
   * Listens on the address in `--health`, `[HOST:]PORT`; a port alone means loopback.
   * @returns undefined without an address. @throws JobError BAD_OPTION
   */
  static async open(place: string | undefined): Promise<HealthPort | undefined> {
    if (place === undefined) return undefined;
    const endpoint = healthEndpoint(place);
    const server = createServer({ maxHeaderSize: 4_096, headersTimeout: limitMs, requestTimeout: limitMs });
    const port = new HealthPort(server, endpoint.host);
    await listenOn(server, endpoint).catch((cause: Error) => {
      throw cannotListen('--health', endpoint, cause);
    });
    return port;
  }

  get address(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://${formatEndpoint({ host: this.host, port })}/healthz`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #add(socket: Socket): void {
    const address = countedAddress(socket.remoteAddress);
    const same = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, same);
    const drop = decideRoom({ ofAddress: same.size, all: this.#open.size }, maxOpen);
    const [oldest] = drop === 'oldest of all' ? this.#open : same;
    if (drop !== 'none') oldest!.destroy();
    for (const set of [same, this.#open]) set.add(socket);
    const timer = setTimeout(() => socket.destroy(), limitMs).unref();
    socket.once('close', () => {
      clearTimeout(timer);
      for (const set of [same, this.#open]) set.delete(socket);
      if (same.size === 0 && this.#byAddress.get(address) === same) this.#byAddress.delete(address);
    });
  }
}

/** @throws JobError BAD_OPTION */
function healthEndpoint(place: string): Endpoint {
  return parseEndpoint(/^\d+$/.test(place) ? `127.0.0.1:${place}` : place, '--health');
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  response.shouldKeepAlive = false;
  if (answerHealth(request, response)) return;
  response.writeHead(404, { 'Content-Type': 'text/plain' }).end('expected GET /healthz\n');
}
