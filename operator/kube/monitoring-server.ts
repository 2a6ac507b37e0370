import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { limitConnections } from '../coordinators/connection-limits.js';

export interface Page {
  readonly code: number;
  readonly type: string;
  readonly text: string;
}

export interface MonitoringSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Pages by path. */
  readonly pages: Readonly<Record<string, () => Page | Promise<Page>>>;
}

/** Requests have few headers and arrive at once. A kubelet closes its connection after each. */
const headersMs = 2_000;
const serverOptions = {
  ...{ headersTimeout: headersMs, requestTimeout: headersMs, keepAliveTimeout: 1_000 },
  ...{ connectionsCheckingInterval: 500, maxHeaderSize: 4096 },
};
const connectionLimits = { perAddress: 16, total: 256 };
const plain = 'text/plain; charset=utf-8';

/**
 * HTTP server for probes or metrics. No client can hold a connection for long or block others, because a failed probe
 * would restart the operator.
 */
export class MonitoringServer {
  readonly #server: Server;

  constructor(private readonly settings: MonitoringSettings) {
    this.#server = createServer(serverOptions, (request, response) => {
      void this.#answer(request.method, request.url, response).catch((error: unknown) => {
        send(response, { code: 500, type: plain, text: `${(error as Error).message}\n` });
      });
    });
    this.#server.maxRequestsPerSocket = 100;
    limitConnections(this.#server, connectionLimits);
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
    const { pages } = this.settings;
    if (method !== 'GET' && method !== 'HEAD') return send(response, text(405, 'expected GET'));
    const page = Object.hasOwn(pages, url ?? '') ? pages[url ?? ''] : undefined;
    send(response, page ? await page() : text(404, `expected ${Object.keys(pages).join(' or ')}`));
  }
}

/** Response to a probe. @param problem - reason for failure; undefined: healthy. */
export function healthPage(problem: string | undefined): Page {
  return text(problem === undefined ? 200 : 503, problem ?? 'ok');
}

function text(code: number, line: string): Page {
  return { code, type: plain, text: `${line}\n` };
}

function send(response: ServerResponse, { code, type, text }: Page): void {
  response.writeHead(code, { 'Content-Type': type }).end(text);
}
