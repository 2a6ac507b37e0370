import type { Server } from '@grpc/grpc-js';
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import { InvariantError } from '../job/errors.js';
import { connectionLimitMs } from '../proto/liveness.js';

/** Calls `tend` with each connection to come. Call when the server has its connection injector. */
export function onConnection(server: Server, tend: (session: ServerHttp2Session) => void): void {
  // gRPC keeps its HTTP/2 servers to itself; `test/coordinator/server.test.ts` sees whether they are still found here.
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2Server, unknown> };
  if (!http2Servers?.size) throw new InvariantError('connections: expected an HTTP/2 server inside of the gRPC server');
  for (const inner of http2Servers.keys()) inner.on('session', tend);
}

/**
 * Raises the flow-control windows of a connection and of each of its streams. gRPC has an option for that
 * (`grpc-node.flow_control_window`), which its clients take and its server passes over: with HTTP/2's 64 KB, a gradient
 * of 550 KB would wait for 14 window updates on its way.
 */
export function raiseWindows(session: ServerHttp2Session, bytes: number): void {
  session.settings({ initialWindowSize: bytes });
  session.setLocalWindowSize(bytes);
}

/** Between two looks at a connection; the last two of a silence come after a ping that was not answered. */
const looks = 4;

/**
 * Cuts a connection off from which nothing came for `connectionLimitMs`, neither data nor the answer to a ping: its peer
 * is gone without a word, or takes nothing of what waits for it in memory. Any byte counts, as a ping's answer may be
 * long in coming over a slow link that is full of data. Counted in looks, so that time in which this process did not
 * listen is nobody's silence.
 */
export function dropSilent(session: ServerHttp2Session, limitMs = connectionLimitMs): void {
  let counted = 0;
  let silent = 0;
  const timer = setInterval(() => {
    if (session.destroyed) return;
    const bytes = session.socket.bytesRead;
    silent = bytes === counted ? silent + 1 : 0;
    counted = bytes;
    if (silent === looks) session.destroy();
    else if (silent === 1) session.ping(() => undefined);
  }, limitMs / looks).unref();
  session.once('close', () => clearInterval(timer));
}
