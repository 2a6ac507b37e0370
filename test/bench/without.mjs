// Loaded into Lockstep's processes (NODE_OPTIONS): removes the special paths that LOCKSTEP_BENCH_WITHOUT names,
// `collector-hints` and `extra-threads`, which no flag of the product disables.
import { WorkerSession } from '../../dist/coordinator/membership/session.js';
import { MessageGarbage } from '../../dist/transport/garbage.js';

const remove = {
  'collector-hints': () => (MessageGarbage.prototype.add = () => undefined),
  'extra-threads': () => {
    const { compute } = WorkerSession.prototype;
    WorkerSession.prototype.compute = function (message, parameters) {
      return compute.call(this, { ...message, threads: [] }, parameters);
    };
  },
};

for (const path of (process.env.LOCKSTEP_BENCH_WITHOUT ?? '').split(',').filter(Boolean)) {
  if (!remove[path])
    throw new Error(`LOCKSTEP_BENCH_WITHOUT: expected ${Object.keys(remove).join(' or ')}, got ${path}`);
  remove[path]();
}
