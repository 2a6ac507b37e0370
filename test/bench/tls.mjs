// npm run bench:tls: processor time that TLS adds to one parameter vector of cnn3 sent over gRPC, both ends in this
// process, so that other load affects the figure little. Blocks of transfers alternate with TLS and without. Needs `npm
// run build`.
// Usage: node test/bench/tls.mjs [--rounds N]
import { parseArgs } from 'node:util';
import { ClusterServer } from '../../dist/coordinator/membership/server.js';
import { formatEndpoint } from '../../dist/transport/listen.js';
import { makeCertificates } from '../../dist/transport/certificates.js';
import { callMetadata } from '../../dist/transport/auth.js';
import { channelOptions, Data } from '../../dist/transport/services.js';
import { channelSecurity } from '../../dist/transport/tls.js';
import { machine, spread } from './stats.mjs';

const { values: options } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } });
const vectorBytes = 137_430 * 4;
const chunk = Buffer.alloc(256 * 1024, 7);
const perBlock = 50;

const fetchHandler = (call) => {
  for (let at = 0; at < vectorBytes; at += chunk.length) call.write({ data: chunk.subarray(0, vectorBytes - at) });
  call.end();
};

async function connect(identities) {
  const handlers = { cluster: { Join: (stream) => stream.end() }, data: { Fetch: fetchHandler }, control: {} };
  const server = new ClusterServer(handlers, { tls: identities?.coordinator });
  const address = formatEndpoint(await server.listen({ host: '127.0.0.1', port: 0 }));
  const security = channelSecurity(identities?.worker, address);
  const client = new Data(address, security.credentials, { ...channelOptions, ...security.options });
  const fetchOnce = () =>
    new Promise((resolve, reject) => {
      const call = client.Fetch({ digest: '' }, callMetadata());
      call
        .on('data', () => undefined)
        .on('end', resolve)
        .on('error', reject);
    });
  return { fetchOnce, close: () => (client.close(), server.close(0)) };
}

/** Processor time of one transfer, in ms. */
async function block({ fetchOnce }) {
  const before = process.cpuUsage();
  for (let i = 0; i < perBlock; i++) await fetchOnce();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / perBlock;
}

const { ca, coordinator, worker } = await makeCertificates({ hosts: ['127.0.0.1'], days: 1, nowMs: Date.now() });
const plain = await connect(undefined);
const secure = await connect({ coordinator: { ca, ...coordinator }, worker: { ca, ...worker } });
await block(plain);
await block(secure);
const found = { plain: [], secure: [], more: [] };
for (let round = 0; round < Number(options.rounds); round++) {
  const without = await block(plain);
  const withTls = await block(secure);
  found.plain.push(without);
  found.secure.push(withTls);
  found.more.push(withTls - without);
}
console.log(machine());
console.log(`processor ms per vector of ${vectorBytes} bytes, sender and receiver together:`);
console.log(`plain ${spread(found.plain)}, TLS ${spread(found.secure)}, difference ${spread(found.more)}`);
await Promise.all([plain.close(), secure.close()]);
