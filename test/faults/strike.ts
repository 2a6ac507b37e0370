import type { FaultCluster } from './fault-cluster.js';
import type { Member } from './member.js';
import type { PlannedFault, WorkerFault } from './plan.js';

/** Called once a fault has had its effect; `sinceMs` if it began before that. */
type Struck = (sinceMs?: number) => void;

/** Strikes a cluster with a fault. @param struck - called later or never if the fault waits for its victim. */
export function strike(cluster: FaultCluster, { at, fault }: PlannedFault, struck: Struck): void {
  switch (fault.kind) {
    case 'join':
      return void cluster.addWorker().then(() => struck());
    case 'killCoordinator':
      cluster.expectEnd({ ended: () => undefined });
      cluster.coordinator.signal('SIGKILL');
      return struck();
    case 'killDuringCheckpoint':
      return killDuringCheckpoint(cluster, struck);
    case 'fillDisk':
      cluster.expectEnd({ ended: ({ code }) => code === 1 && struck() });
      return cluster.coordinator.limitFiles(fault.bytes);
    case 'leave':
      return void cluster.removeWorker(memberOf(cluster, at.worker).index).then(() => struck());
    default:
      return strikeWorker(memberOf(cluster, at.worker), fault, struck);
  }
}

function memberOf(cluster: FaultCluster, worker = 0): Member {
  const member = cluster.members.get(worker);
  if (member) return member;
  throw new Error(`strike: expected a worker ${worker}, got ${[...cluster.members.keys()].join(', ')}`);
}

function strikeWorker(member: Member, fault: WorkerFault, struck: Struck): void {
  switch (fault.kind) {
    case 'kill':
      member.signal('SIGKILL');
      return struck();
    case 'stop':
      member.stop(fault.ms);
      return struck();
    case 'sever':
      if (member.proxy.sever() > 0) struck();
      return;
    case 'hold':
      member.proxy.hold(fault.ms);
      return struck();
    case 'corrupt':
    case 'duplicate':
    case 'reorder':
      return member.proxy.damage(fault, struck);
    case 'engineThrow':
    case 'outOfMemory': {
      const sinceMs = performance.now();
      return member.failEngine(fault.kind, () => struck(sinceMs));
    }
    default:
      fault satisfies never;
  }
}

/** Retries until the kill comes before the checkpoint is renamed, which leaves the half-written file behind. */
function killDuringCheckpoint(cluster: FaultCluster, struck: Struck): void {
  let done = false;
  cluster.expectEnd({
    ended: () => {
      done = cluster.coordinator.halfWritten.length > 0;
      if (done) struck();
    },
    restarted: () => {
      if (!done) killDuringCheckpoint(cluster, struck);
    },
  });
  cluster.coordinator.killDuringCheckpoint();
}
