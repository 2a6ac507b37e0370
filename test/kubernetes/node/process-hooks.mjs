// Loaded before a container's program: service names resolve to their cluster addresses, and the host name is the
// pod's.
//
// LOCKSTEP_TEST_DNS names a JSON file that the node maintains: { "<namespace>/<service>": ["127.…"] }.
import dns from 'node:dns';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

const file = process.env.LOCKSTEP_TEST_DNS;
const ownNamespace = process.env.LOCKSTEP_TEST_NAMESPACE;
const podName = process.env.HOSTNAME;

/** Addresses of a service by any of its names; undefined for addresses and `localhost`, which need no cluster. */
function addressesOf(hostname) {
  if (hostname === 'localhost' || /^[\d.]+$|:/.test(hostname)) return undefined;
  const [service, namespace = ownNamespace] = hostname.replace(/\.svc(\.cluster\.local\.?)?$/, '').split('.');
  return JSON.parse(readFileSync(file, 'utf8'))[`${namespace}/${service}`] ?? [];
}

function notFound(hostname) {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), { code: 'ENOTFOUND', hostname });
}

if (file !== undefined) {
  const { lookup } = dns;
  const lookupPromise = dns.promises.lookup;
  dns.lookup = (hostname, options, callback) => {
    const done = callback ?? options;
    const found = addressesOf(hostname);
    if (found === undefined) return lookup(hostname, options, callback);
    const all = found.map((address) => ({ address, family: 4 }));
    const every = typeof options === 'object' && options.all;
    process.nextTick(() => {
      if (all.length === 0) done(notFound(hostname));
      else if (every) done(null, all);
      else done(null, all[0].address, 4);
    });
  };
  dns.promises.lookup = async (hostname, options) => {
    const found = addressesOf(hostname);
    if (found === undefined) return lookupPromise(hostname, options);
    if (found.length === 0) throw notFound(hostname);
    const all = found.map((address) => ({ address, family: 4 }));
    return options?.all ? all : all[0];
  };
  os.hostname = () => podName;
  syncBuiltinESMExports();
}
