// One attacker of bench:listeners: keeps so many connections of one kind open to a port, and opens new ones in place of
// those that end, at most so many per second. Prints its counts and its processor time when standard input ends.
// Usage: node listeners-attacker.mjs '{"port":N,"kinds":["half-open"],"addresses":N,"count":N,"perSecond":N,"tls":true}'
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const { port, kinds, addresses, count, perSecond, tls } = JSON.parse(process.argv[2]);

function frame(type, flags, stream, payload) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
function literals(fields) {
  const literal = (text) => [text.length, ...Buffer.from(text)];
  return Buffer.from(Object.entries(fields).flatMap(([name, value]) => [0, ...literal(name), ...literal(value)]));
}
const request = literals({
  ':method': 'POST',
  ':scheme': 'http',
  ':path': '/lockstep.v1.Cluster/Join',
  ':authority': 'x',
  'content-type': 'application/grpc',
  te: 'trailers',
});
const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, Buffer.alloc(0))]);
const many = (times, make) => Buffer.concat(Array.from({ length: times }, (_, i) => make(i)));

/** Bytes that a kind writes: at once, and then again every second. */
const attacks = {
  'half-open': {},
  silent: { first: preface },
  'slow-headers': { first: Buffer.from('GET / HTTP/1.1\r\nX-0: '), next: Buffer.from('x') },
  'slow-frame': { first: Buffer.concat([preface, Buffer.from([0, 16, 0, 1])]), next: Buffer.from([0]) },
  malformed: { first: Buffer.from('\x00\xff garbage '.repeat(64)) },
  oversized: { first: Buffer.alloc(256 * 1024, 'x'), next: Buffer.alloc(256 * 1024, 'x') },
  streams: { first: Buffer.concat([preface, many(64, (i) => frame(1, 4, 2 * i + 1, request))]) },
  reset: {
    first: Buffer.concat([
      preface,
      many(500, (i) => Buffer.concat([frame(1, 4, 2 * i + 1, request), frame(3, 0, 2 * i + 1, Buffer.alloc(4))])),
    ]),
  },
  ping: { first: Buffer.concat([preface, many(2_000, () => frame(6, 0, 0, Buffer.alloc(8)))]) },
  settings: { first: Buffer.concat([preface, many(2_000, () => frame(4, 0, 0, Buffer.alloc(0)))]) },
  continuation: {
    first: Buffer.concat([preface, frame(1, 0, 1, request), many(200, () => frame(9, 0, 1, request))]),
  },
  'huge-headers': {
    first: Buffer.concat([
      preface,
      frame(1, 0, 1, request),
      ...Array.from({ length: 8 }, () => frame(9, 0, 1, literals({ x: 'y'.repeat(100) }))),
    ]),
  },
};

const counts = { opened: 0, closed: 0, failed: 0 };
let open = 0;

function attack() {
  const kind = attacks[kinds[counts.opened % kinds.length]];
  const localAddress = `127.0.${1 + ((counts.opened % addresses) >> 8)}.${1 + ((counts.opened % addresses) & 0xff)}`;
  counts.opened++;
  open++;
  const options = { port, host: '127.0.0.1', localAddress: addresses === 0 ? undefined : localAddress };
  const isTls = tls && kind.first !== undefined;
  const socket = isTls
    ? connectTls({ ...options, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] })
    : connect(options);
  let again;
  socket.once(isTls ? 'secureConnect' : 'connect', () => {
    if (kind.first) socket.write(kind.first);
    if (kind.next) again = setInterval(() => socket.writable && socket.write(kind.next), 1_000);
  });
  socket.on('error', () => counts.failed++).resume();
  socket.once('close', () => {
    clearInterval(again);
    open--;
    counts.closed++;
  });
}

const tickMs = 20;
let budget = 0;
setInterval(() => {
  budget = Math.min(perSecond, budget + (perSecond * tickMs) / 1000);
  for (; budget >= 1 && open < count; budget--) attack();
}, tickMs);
const begin = process.cpuUsage();
const beginMs = performance.now();
process.stdin.resume().once('end', () => {
  const { user, system } = process.cpuUsage(begin);
  const cpu = (user + system) / 1000 / (performance.now() - beginMs);
  console.log(JSON.stringify({ ...counts, open, cpu }));
  process.exit();
});
console.log('attacking');
