import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Requests received: path and Range header, in order. */
export interface LoopbackServer {
  readonly url: string;
  readonly requests: { path: string; range: string | undefined }[];
}

/** An HTTP server on a free loopback port, closed after the test; `answer` gets the request's number, from 0. */
export async function loopbackServer(
  answer: (request: IncomingMessage, response: ServerResponse, number: number) => void,
): Promise<LoopbackServer> {
  const requests: LoopbackServer['requests'] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', range: request.headers.range });
    answer(request, response, requests.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, requests };
}

/** Sends `content` as a server that supports Range; breaks the connection after `bytes` of the body, if given. */
export function sendFile(request: IncomingMessage, response: ServerResponse, content: Buffer, bytes?: number): void {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start >= content.length) {
    response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    return;
  }
  response.writeHead(start > 0 ? 206 : 200, {
    'content-length': content.length - start,
    ...(start > 0 && { 'content-range': `bytes ${start}-${content.length - 1}/${content.length}` }),
  });
  const body = content.subarray(start, bytes === undefined ? undefined : start + bytes);
  if (bytes === undefined) response.end(body);
  else response.write(body, () => response.destroy());
}
