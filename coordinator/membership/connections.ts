import type { Server } from '@grpc/grpc-js';
import type { Http2Server, ServerHttp2Session, ServerOptions } from 'node:http2';
import { InvariantError } from '../../util/errors.js';
import { connectionLimitMs } from '../../transport/liveness.js';

/** Calls `tend` for each new connection. To be called once the server has its connection injector. */
export function onConnection(server: Server, tend: (session: ServerHttp2Session) => void): void {
  // A private field of gRPC's; `test/coordinator/membership/server.test.ts` fails if a new version renames it.
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2Server, unknown> };
  if (!http2Servers?.size) throw new InvariantError('connections: expected an HTTP/2 server inside the gRPC server');
  for (const inner of http2Servers.keys()) inner.on('session', tend);
}

/**
 * Limits of every HTTP/2 session, in addition to nghttp2's for resets, CONTINUATION and SETTINGS frames. A session above
 * its memory limit accepts no new stream. A worker's session has one stream, whose queued vectors may exceed the limit.
 */
const sessionLimits = {
  maxSessionMemory: 16,
  maxHeaderListPairs: 64,
  maxOutstandingPings: 8,
  maxSessionInvalidFrames: 16,
  maxSessionRejectedStreams: 64,
  unknownProtocolTimeout: 2_000,
} satisfies ServerOptions;
/** Header bytes of one call, uncompressed. */
const maxHeaderListSize = 16 * 1024;

/** Sets limits that gRPC has no options for. Call it before the server gets its connection injector. */
export function limitSessions(server: Server): void {
  // A private field of gRPC, as in `onConnection`.
  const { commonServerOptions } = server as unknown as { readonly commonServerOptions?: ServerOptions };
  if (!commonServerOptions) throw new InvariantError('connections: expected options of the HTTP/2 server inside gRPC');
  const settings = { ...commonServerOptions.settings, maxHeaderListSize };
  Object.assign(commonServerOptions, { ...sessionLimits, settings });
}

/**
 * Raises the flow-control windows of a connection and of each of its streams. gRPC's option for this,
 * `grpc-node.flow_control_window`, works for its clients only; its server ignores it. With HTTP/2's default of 64 KB, a
 * gradient of 550 KB would wait for 14 window updates.
 */
export function raiseWindows(session: ServerHttp2Session, bytes: number): void {
  session.settings({ initialWindowSize: bytes });
  session.setLocalWindowSize(bytes);
}

/** Checks of a connection per limit. The first silent one sends a ping. */
const checksPerLimit = 4;

/**
 * Closes a connection that has sent nothing for `limitMs`, neither data nor the answer to a ping. Its peer has
 * vanished, or doesn't read the data buffered for it. Any byte counts, as a ping's answer may be slow on a connection
 * full of data. Time is counted in checks, so that a pause of this process is not taken for the peer's silence.
 */
export function dropSilent(session: ServerHttp2Session, limitMs = connectionLimitMs): void {
  let counted = 0;
  let silent = 0;
  const timer = setInterval(() => {
    if (session.destroyed) return;
    const bytes = session.socket.bytesRead;
    silent = bytes === counted ? silent + 1 : 0;
    counted = bytes;
    if (silent === checksPerLimit) session.destroy();
    else if (silent === 1) session.ping(() => undefined);
  }, limitMs / checksPerLimit).unref();
  session.once('close', () => clearInterval(timer));
}
