import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';

/** Answers of an API server in one test; it may also stay silent. */
export type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => void;

/** Misbehaves as a real server can't be made to on demand: old versions, silence, streams that break. */
export class ScriptedServer {
  readonly requests: string[] = [];
  readonly #server: Server;

  constructor(answer: Answer) {
    this.#server = createServer((request, response) => {
      const url = new URL(request.url!, 'http://localhost');
      this.requests.push(`${request.method} ${url.pathname}${url.searchParams.has('watch') ? ' watch' : ''}`);
      answer(request, response, url);
    });
  }

  async start(): Promise<KubeConfig> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const config = new KubeConfig();
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    config.loadFromClusterAndUser({ name: 'test', server, skipTLSVerify: true }, { name: 'test', token: 'secret' });
    return config;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}

export function send(response: ServerResponse, body: object, code = 200): void {
  response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

export function refusal(code: number, reason: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: `because of ${reason}` };
}
