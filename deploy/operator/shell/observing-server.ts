import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ObservingSettings {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  /** Prometheus text. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  /** Why the process is not alive, or not ready to work; undefined: it is. */
  readonly unhealthy: () => string | undefined;
  readonly unready: () => string | undefined;
}

/** Serves `/metrics`, `/healthz` and `/readyz`. Nothing in them is secret, and nothing can be done through them. */
export class ObservingServer {
  readonly #server: Server;

  constructor(private readonly settings: ObservingSettings) {
    this.#server = createServer((request, response) => {
      void this.#answer(request.method, request.url, response).catch((error: unknown) => {
        send(response, 500, (error as Error).message);
      });
    });
  }

  /** @returns the port. */
  async listen(): Promise<number> {
    this.#server.listen(this.settings.port, this.settings.host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(method: string | undefined, url: string | undefined, response: ServerResponse): Promise<void> {
    const { metrics, unhealthy, unready } = this.settings;
    if (method !== 'GET' && method !== 'HEAD') return send(response, 405, 'expected GET');
    if (url === '/healthz') return sendHealth(response, unhealthy());
    if (url === '/readyz') return sendHealth(response, unready());
    if (url !== '/metrics') return send(response, 404, 'expected /metrics, /healthz or /readyz');
    const { type, text } = await metrics();
    response.writeHead(200, { 'Content-Type': type }).end(text);
  }
}

function sendHealth(response: ServerResponse, trouble: string | undefined): void {
  send(response, trouble === undefined ? 200 : 503, trouble ?? 'ok');
}

function send(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}
