import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Answers `GET /healthz` for probes without a token: the process is serving. Reveals nothing about the run.
 * @returns true if the request was for it.
 */
export function answerHealth({ method, url }: IncomingMessage, response: ServerResponse): boolean {
  if (url !== '/healthz' || (method !== 'GET' && method !== 'HEAD')) return false;
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' }).end('ok\n');
  return true;
}
