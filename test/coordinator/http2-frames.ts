/** Handwritten HTTP/2, for frames that no client would send (RFC 9113). */

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Headers as literals without indexing (RFC 7541, 6.2.2). */
function literals(fields: Record<string, string>): Buffer {
  const literal = (text: string) => [text.length, ...Buffer.from(text)];
  return Buffer.from(Object.entries(fields).flatMap(([name, value]) => [0, ...literal(name), ...literal(value)]));
}

const call = literals({
  ...{ ':method': 'POST', ':scheme': 'http', ':path': '/lockstep.v1.Cluster/Join', ':authority': 'x' },
  ...{ 'content-type': 'application/grpc', te: 'trailers' },
});

/** Connection preface and settings. */
export const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(4, 0, 0, Buffer.alloc(0)),
]);
export const pingFrame = frame(6, 0, 0, Buffer.alloc(8));

/** Headers of a Join call. */
export function headersFrame(stream: number): Buffer {
  return frame(1, 4, stream, call);
}

export function reset(stream: number): Buffer {
  return frame(3, 0, stream, Buffer.from([0, 0, 0, 8]));
}

/** Headers of a Join call, continued for `frames` CONTINUATION frames of 2,000 bytes, without an end. */
export function hugeHeaders(frames: number): Buffer[] {
  const more = literals(Object.fromEntries(Array.from({ length: 16 }, (_, i) => [`x${i}`, 'y'.repeat(120)])));
  return [frame(1, 0, 1, call), ...Array.from({ length: frames }, () => frame(9, 0, 1, more))];
}

/** The first stream ids of a client. */
export const odd = (count: number) => Array.from({ length: count }, (_, i) => 2 * i + 1);

export function repeated(bytes: Uint8Array, times: number): Buffer {
  return Buffer.concat(new Array<Uint8Array>(times).fill(bytes));
}
