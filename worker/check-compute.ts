import type { JobManifest } from '../job/manifest.js';
import { isNode } from '../job/tree.js';
import { ClusterError } from '../proto/errors.js';
import type { Compute, Evaluate } from '../proto/messages.js';

/** Fields of the job that Compute and Evaluate messages must fit. */
type Job = Pick<JobManifest, 'shards' | 'evaluation'>;

const advice = 'install the same Lockstep version on both sides';

/** @throws ClusterError BAD_MESSAGE if the message names no node, or one that the job doesn't have. */
export function checkCompute({ step, nodes }: Pick<Compute, 'step' | 'nodes'>, { shards }: Job): void {
  const wrong = nodes.find((node) => !isNode(node, shards.length));
  if (nodes.length > 0 && wrong === undefined) return;
  const found = wrong === undefined ? 'none' : JSON.stringify(wrong);
  throw bad(`compute of step ${step}: expected nodes of the tree over ${shards.length} shards, got ${found}`);
}

/** @throws ClusterError BAD_MESSAGE if the message names no batch, or one that the job doesn't have. */
export function checkEvaluate({ step, batches }: Pick<Evaluate, 'step' | 'batches'>, { evaluation }: Job): void {
  const wrong = batches.find((batch) => evaluation[batch] === undefined);
  if (batches.length > 0 && wrong === undefined) return;
  const found = wrong === undefined ? 'none' : `batch ${wrong}`;
  throw bad(`evaluate after step ${step}: expected some of batches 0..${evaluation.length - 1}, got ${found}`);
}

function bad(problem: string): ClusterError {
  return new ClusterError('BAD_MESSAGE', `${problem}; ${advice}`);
}
