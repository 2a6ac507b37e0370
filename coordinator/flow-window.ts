import type { Server } from '@grpc/grpc-js';
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import { InvariantError } from '../job/errors.js';

/**
 * Raises the flow-control windows of all connections to come, of the connection and of each of its streams. gRPC has an
 * option for that (`grpc-node.flow_control_window`), which its clients take and its server passes over: with HTTP/2's
 * 64 KB, a gradient of 550 KB would wait for 14 window updates on its way. Call when the server has its connection
 * injector.
 */
export function raiseWindows(server: Server, bytes: number): void {
  // gRPC keeps its HTTP/2 servers to itself; `test/coordinator/server.test.ts` sees whether they are still found here.
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2Server, unknown> };
  if (!http2Servers?.size) throw new InvariantError('flow window: expected an HTTP/2 server inside of the gRPC server');
  for (const inner of http2Servers.keys()) inner.on('session', (session) => raise(session, bytes));
}

function raise(session: ServerHttp2Session, bytes: number): void {
  session.settings({ initialWindowSize: bytes });
  session.setLocalWindowSize(bytes);
}
