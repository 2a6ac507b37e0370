import { describe, expect, it } from 'vitest';
import type { Action, Observed } from '../../../operator/plan/types.js';
import type { TrainingJobStatus } from '../../../operator/resource/status.js';
import type { TrainingJob } from '../../../operator/resource/training-job.js';
import { ApiError } from '../../../operator/kube/api-error.js';
import { Reconciler, type ReconcilerParts } from '../../../operator/kube/reconciler.js';
import * as k from '../objects.js';
import { begun, settled, training, withSpec } from '../situations.js';

/** The operator's actions for a job whose status the API server may reject. */
async function reconcile(
  observed: Observed,
  takes: (status: TrainingJobStatus) => ApiError | undefined,
  checkpointed = true,
) {
  const written: TrainingJobStatus[] = [];
  const done: string[] = [];
  const events: string[] = [];
  const parts = {
    caches: { job: () => observed.job, childrenOf: () => observed.children, workerPodsOf: () => observed.workerPods },
    coordinators: {
      answer: () => observed.control,
      follow: () => undefined,
      checkpoint: (_uid: string, pod: string) => {
        done.push(`checkpoint ${pod}`);
        return checkpointed;
      },
    },
    executor: {
      taken: () => [],
      writeStatus: (_job: TrainingJob, status: TrainingJobStatus) => {
        const error = takes(status);
        if (!error) written.push(status);
        return error ? Promise.reject(error) : Promise.resolve();
      },
      execute: (_job: TrainingJob, action: Action) => Promise.resolve(void done.push(k.brief(action))),
    },
    secrets: { keyId: k.keyId },
    events: {
      write: (_job: TrainingJob, { message }: { message: string }) => Promise.resolve(void events.push(message)),
    },
    specs: { read: k.read },
  } as unknown as ReconcilerParts;
  const outcome = await new Reconciler(parts).reconcile('ml/cifar10').catch((error: unknown) => error as ApiError);
  return { written, done, events, outcome };
}

const refusal = (code: number, reason: string) => new ApiError(`update status: got ${code}`, code, reason);
const refuseAll = () => refusal(422, 'Invalid');
const running = settled(begun(k.running, { control: training({ reason: 'hostile' }) }), Date.now());
const suspended = withSpec(running, { suspend: true });
const stopping = [
  'checkpoint cifar10-coordinator-1',
  'delete Pod cifar10-coordinator-1',
  'delete Deployment cifar10-worker',
];

describe('while the API server refuses the status', () => {
  it.each([
    [422, 'Invalid'],
    [413, 'RequestEntityTooLarge'],
    [400, 'BadRequest'],
    [403, 'Forbidden'],
    [500, 'InternalError'],
  ])('a job is suspended: %i', async (code, reason) => {
    const { done, written, outcome } = await reconcile(suspended, () => refusal(code, reason));
    expect([done, written]).toEqual([stopping, []]);
    expect(outcome).toMatchObject({ code });
  });

  it('a job is ended at its deadline', async () => {
    const job = { ...running.job, status: { ...running.job.status!, startTime: '2020-01-01T00:00:00Z' } };
    const late = withSpec({ ...running, job }, { activeDeadlineSeconds: 60 });
    const { done } = await reconcile(late, refuseAll);
    expect(done).toEqual(stopping.slice(1));
  });

  it('workers that have nothing left to compute are stopped', async () => {
    const reporting = {
      ...running,
      control: training({ state: 'reporting', digestEpoch: 2, digest: 'ab'.repeat(32) }),
    };
    const { done } = await reconcile(reporting, refuseAll);
    expect(done).toContain('delete Deployment cifar10-worker');
  });

  it('nothing new is made', async () => {
    const { done, outcome } = await reconcile(k.observe(k.makeJob()), refuseAll);
    expect(done).toEqual([]);
    expect(outcome).toMatchObject({ code: 422 });
  });

  it('the status is retried without any text of the pods, and if it is accepted all is done', async () => {
    const noText = (status: TrainingJobStatus) => (status.message === undefined ? undefined : refuseAll());
    const { done, written, events, outcome } = await reconcile(k.observe(k.makeJob()), noText);
    expect(written).toHaveLength(1);
    expect(written[0]).toMatchObject({ state: 'Pending', coordinator: { attempt: 0 } });
    expect(done).toContain('create Pod cifar10-coordinator-1');
    expect([events, outcome]).toEqual([['update status: got 422'], undefined]);
  });
});

it.each([
  [409, 'Conflict'],
  [404, 'NotFound'],
  [429, 'TooManyRequests'],
  [401, 'Unauthorized'],
  [503, 'ServiceUnavailable'],
  [0, 'Unreachable'],
])('nothing is done after %i %s: the plan may be stale, or the write may succeed', async (code, reason) => {
  const { done } = await reconcile(suspended, () => refusal(code, reason));
  expect(done).toEqual([]);
});

it('a job that is suspended keeps its pods until its checkpoint exists, without blocking others', async () => {
  const { done, outcome } = await reconcile(suspended, () => undefined, false);
  expect([done, outcome]).toEqual([stopping.slice(0, 1), undefined]);
});
