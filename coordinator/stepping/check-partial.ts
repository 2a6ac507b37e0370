import type { JobManifest } from '../../job/manifest.js';
import { epochOf, samplesInStep, type StepPlan } from '../../job/plan.js';
import { isNode, type TreeNode } from '../../job/tree.js';
import { checkChunk } from '../../proto/chunks.js';
import { ClusterError } from '../../proto/errors.js';
import type { Partial, ShardReport } from '../../proto/messages.js';
import { shardsIn } from './decisions/waiting.js';

/** What a partial of a step must fit. */
export interface PartialContext {
  readonly manifest: JobManifest;
  readonly plan: StepPlan;
  readonly step: number;
  readonly workerId: string;
}

/**
 * Checks all of a partial but its place among the chunks of its node.
 * @returns its node. @throws ClusterError BAD_MESSAGE
 */
export function checkPartial(context: PartialContext, partial: Partial): TreeNode {
  const { manifest, step, workerId } = context;
  const { node } = partial;
  if (!node || !isNode(node, manifest.shards.length)) {
    throw badPartial(workerId, `a node of the tree over ${manifest.shards.length} shards`, JSON.stringify(node));
  }
  checkChunk(manifest.parameterCount, partial, `partial of step ${step} from ${workerId}`);
  if (partial.chunk === 0) checkReports(context, node, partial.reports);
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
