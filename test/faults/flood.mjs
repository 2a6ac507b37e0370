/**
 * node flood.mjs PORT BYTES FIRST: opens a Join stream by hand, sends FIRST (hexadecimal, a gRPC frame), then BYTES of
 * data in 16 KiB frames. It ignores the other side's windows, resets and the call's end. Ends when all is sent, the
 * connection is closed, or nothing is accepted for a second.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

const [port, bytes, first] = process.argv.slice(2);

/** One frame of HTTP/2 (RFC 9113, 4.1). */
function frame(type, flags, stream, payload) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Headers as literals without indexing (RFC 7541, 6.2.2). */
function headers(fields) {
  const literal = (text) => [text.length, ...Buffer.from(text)];
  return Buffer.from(Object.entries(fields).flatMap(([name, value]) => [0, ...literal(name), ...literal(value)]));
}

const path = '/lockstep.v1.Cluster/Join';
const names = { ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'x' };
const socket = connect(Number(port), '127.0.0.1');
socket.on('error', () => undefined);
socket.resume();
socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
socket.write(frame(4, 0, 0, Buffer.alloc(0)));
socket.write(frame(1, 4, 1, headers({ ...names, 'content-type': 'application/grpc', te: 'trailers' })));
socket.write(frame(0, 0, 1, Buffer.from(first, 'hex')));
const data = frame(0, 0, 1, Buffer.alloc(16_384));
let sent = 0;
for (; sent < Number(bytes) && !socket.destroyed; sent += data.byteLength) {
  if (socket.write(data)) continue;
  const signal = AbortSignal.timeout(1_000);
  const taken = Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]);
  if (await taken.then(() => false).catch(() => true)) break;
}
console.log(sent);
process.exit(0);
