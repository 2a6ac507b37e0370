import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * Answers `GET /healthz`, for those who watch over processes and have no token: says that this one serves, and nothing
 * of the run. @returns whether it was asked.
 */
export function answerHealth({ method, url }: IncomingMessage, response: ServerResponse): boolean {
  if (url !== '/healthz' || (method !== 'GET' && method !== 'HEAD')) return false;
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' }).end('ok\n');
  return true;
}
