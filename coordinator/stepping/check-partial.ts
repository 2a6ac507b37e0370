import type { JobManifest } from '../../job/manifest.js';
import { epochOf, samplesInStep, type StepPlan } from '../../job/plan.js';
import { isNode, type TreeNode } from '../../job/tree.js';
import { ClusterError } from '../../proto/errors.js';
import type { Partial, ShardReport } from '../../proto/messages.js';
import { shardsIn } from './decisions/waiting.js';

/** A chunk of a partial without its bytes. */
export type PartialHeader = Pick<Partial, 'node' | 'chunk' | 'chunks' | 'reports'>;

/** Job and step that a partial must fit, and its sender. */
export interface PartialContext {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly step: number;
  readonly workerId: string;
}

/**
 * Checks a partial's node and reports. The transport has checked the bytes, and `StepTask` the order of chunks.
 * @returns the node. @throws ClusterError BAD_MESSAGE
 */
export function checkPartial(context: PartialContext, { node, chunk, reports }: PartialHeader): TreeNode {
  const { manifest, workerId } = context;
  if (!node || !isNode(node, manifest.shards.length)) {
    throw badPartial(workerId, `a node of the tree over ${manifest.shards.length} shards`, JSON.stringify(node));
  }
  if (chunk === 0) checkReports(context, node, reports);
  return node;
}

function badPartial(workerId: string, expected: string, got: string): ClusterError {
  return new ClusterError('BAD_MESSAGE', `partial from ${workerId}: expected ${expected}, got ${got}`);
}

function checkReports(context: PartialContext, node: TreeNode, reports: readonly ShardReport[]): void {
  const { manifest, plan, step, workerId } = context;
  const wanted = shardsIn([node]).join();
  const found = reports.map((report) => report.shard).join();
  if (found !== wanted) throw badPartial(workerId, `reports of shards ${wanted}`, found);
  const { stepInEpoch } = epochOf(plan, step);
  const statisticsBytes = manifest.stateCount * 4;
  for (const { shard, samples, correct, statistics } of reports) {
    const { count } = samplesInStep(plan, shard, stepInEpoch);
    if (samples !== count) throw badPartial(workerId, `${count} samples of shard ${shard}`, `${samples}`);
    if (correct > samples) {
      throw badPartial(workerId, `at most ${samples} correct of shard ${shard}`, `${correct}`);
    }
    if (statistics.byteLength !== statisticsBytes) {
      throw badPartial(workerId, `${statisticsBytes} bytes of statistics`, `${statistics.byteLength}`);
    }
  }
}
