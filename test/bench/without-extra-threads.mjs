// Loaded into Lockstep's processes by bench:paths (NODE_OPTIONS): shards get no extra threads on idle cores, which no
// flag of the product disables.
import { WorkerSession } from '../../dist/coordinator/membership/session.js';

const { compute } = WorkerSession.prototype;
WorkerSession.prototype.compute = function (message, parameters) {
  return compute.call(this, { ...message, threads: [] }, parameters);
};
