import { existsSync, readFileSync } from 'node:fs';
import type { V1Pod } from '@kubernetes/client-node';
import type { ApiClient } from './api-client.js';
import type { LocalNode } from './node/local-node.js';

const pollMs = 20;

/** Sources for observing a job: its worker pods and its steps. */
export interface WorkerView {
  readonly client: ApiClient;
  readonly node: LocalNode;
  /** Name of the job. */
  readonly job: string;
  /** The run's `steps.csv`. */
  readonly steps: string;
}

export function componentPods(
  { client, job }: Pick<WorkerView, 'client' | 'job'>,
  component: string,
): Promise<V1Pod[]> {
  const selector = `lockstep.dev/job=${job},app.kubernetes.io/component=${component}`;
  return client.list<V1Pod>('v1', 'Pod', 'default', selector);
}

/** Number of workers that contributed to each step, as far as the file is written. */
export function workersOfSteps(file: string): number[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trim().split('\n').slice(1);
  return lines.map((line) => Number(line.split(',').at(-1)));
}

/**
 * Milliseconds from the start of each new worker's process to the first step, from `fromStep` on, with that many
 * contributing workers. @param before - names of the worker pods that existed before. @param count - of the new ones.
 */
export async function contributionTimes(
  view: WorkerView,
  {
    before,
    count,
    fromStep,
    limitMs,
  }: { before: ReadonlySet<string>; count: number; fromStep: number; limitMs: number },
): Promise<number[]> {
  const startedMs = new Map<string, number>();
  const contributedMs: number[] = [];
  const deadline = performance.now() + limitMs;
  while (contributedMs.length < count) {
    if (performance.now() > deadline) throw new Error(`wait: expected ${count} more workers within ${limitMs} ms`);
    if (startedMs.size < count) {
      for (const { metadata } of await componentPods(view, 'worker')) {
        const startMs = before.has(metadata!.name!) ? undefined : view.node.startedAtMs(metadata!.name!);
        if (startMs !== undefined) startedMs.set(metadata!.name!, startMs);
      }
    }
    const most = Math.max(0, ...workersOfSteps(view.steps).slice(fromStep));
    while (contributedMs.length < Math.min(count, most - before.size)) contributedMs.push(Date.now());
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const starts = [...startedMs.values()].sort((left, right) => left - right);
  return starts.map((startMs, index) => contributedMs[index]! - startMs);
}
