import { onTestFinished } from 'vitest';
import { Accumulator } from '../../coordinator/stepping/reduction/accumulator.js';
import type * as TrainerModule from '../../coordinator/stepping/trainer.js';
import type * as RosterModule from '../../coordinator/membership/roster.js';
import type * as EventsModule from '../../coordinator/state/events.js';
import type * as AdmissionModule from '../../coordinator/membership/admission.js';
import type * as ClusterModule from '../../coordinator/membership/cluster-service.js';
import type { RunEvent } from '../../coordinator/state/events.js';
import { awaitHello } from '../../coordinator/membership/hello.js';
import type { TrainerSetup } from '../../coordinator/stepping/trainer-setup.js';
import { chainDigest } from '../../job/digest.js';
import { manifestPlan } from '../../job/plan.js';
import type { JobSpec } from '../../job/spec.js';
import type { Node } from '../../proto/messages.js';
import type { JoinStream } from '../../transport/grpc-transport.js';
import { serve } from '../proto/wire.js';
import { built } from './built.js';
import { smallManifest } from './manifest.js';
import { RawWorker, withCrc } from './raw-worker.js';

const { Trainer } = await built<typeof TrainerModule>('coordinator/stepping/trainer.js');
const { Roster } = await built<typeof RosterModule>('coordinator/membership/roster.js');
const { RunEvents } = await built<typeof EventsModule>('coordinator/state/events.js');
const { EngineAdmission } = await built<typeof AdmissionModule>('coordinator/membership/admission.js');
const { ClusterService } = await built<typeof ClusterModule>('coordinator/membership/cluster-service.js');

const manifest = smallManifest(3);
const plan = manifestPlan(manifest);
const gradient = (step: number, shard: number) => Float32Array.of(0.1, 0.2, 0.3).map((g) => g * (step + 1) + shard);
export const sumOf = ({ first, count }: Node, step: number) =>
  count === 1 ? gradient(step, first) : gradient(step, 0).map((g, i) => g + gradient(step, 1)[i]!);

/** The run's expected outcome, computed here: the chain after each epoch, and the state at the end. */
export function reference() {
  const params = Float32Array.of(1, 2, 3);
  const { optimizer } = manifest.spec;
  const [state, momentum] = [Float32Array.of(0), Float32Array.of(0.5)];
  const accumulator = new Accumulator({ optimizer, shards: 2, params, state, momentum });
  let chain = manifest.digest;
  const chains: string[] = [];
  for (let step = 0; step < 4; step++) {
    accumulator.begin({ step, samples: 4, learningRate: 0.5 });
    for (const shard of [0, 1]) {
      accumulator.addReport(step, {
        shard,
        samples: 2,
        lossSum: 1,
        correct: 0,
        statistics: new Uint8Array(4),
        computeMs: 1,
      });
      accumulator.addChunk(step, { first: shard, count: 1 }, 0, gradient(step, shard));
    }
    if (step % 2 === 1) chains.push((chain = chainDigest(chain, accumulator.digest(step + 1))));
  }
  return { chains, snapshot: accumulator.snapshot(4) };
}

/** A trainer behind a real server. @param change - of the spec. @param hooks - the coordinator's. */
export async function start(
  wantedWorkers: number,
  startLimitMs = 20_000,
  numerics: 'strict' | 'mixed' = 'strict',
  change: Partial<JobSpec> = {},
  hooks: Pick<TrainerSetup, 'saver'> = {},
) {
  const events: RunEvent[] = [];
  const bus = new RunEvents();
  bus.subscribe((event) => events.push(event));
  const roster = new Roster(60_000, () => undefined);
  const trainer = new Trainer({
    manifest: { ...manifest, spec: { ...manifest.spec, ...change } },
    plan,
    term: 1,
    initial: { params: Float32Array.of(1, 2, 3), state: Float32Array.of(0) },
    momentum: Float32Array.of(0.5),
    testLabels: Uint8Array.of(0, 1, 1),
    roster,
    events: bus,
    wantedWorkers,
    startLimitMs,
    beforeFirstStep: (): Promise<boolean> => cluster.beforeFirstStep(),
    ...hooks,
  });
  onTestFinished(() => trainer.close());
  onTestFinished(() => roster.close());
  const welcome = { jobJson: '{}', term: 1, heartbeatMs: 500 };
  const admission = new EngineAdmission({ numerics });
  const cluster = new ClusterService({
    ...{ roster, events: bus, admission, manifest, welcome },
    work: trainer.dispatcher,
    onError: (error) => trainer.fail(error),
  });
  const address = await serve({ Join: (stream: JoinStream) => awaitHello(stream, () => cluster.join(stream)) });
  return { trainer, events, address, admission };
}

interface Script {
  /** Called before a step is computed; if it returns true, the step isn't. */
  readonly skip?: (worker: RawWorker, step: number) => boolean;
  readonly lossSum?: number;
}

/** A worker that holds all data and answers every Compute message. */
export async function worker(
  address: string,
  workerId: string,
  { skip, lossSum = 1 }: Script = {},
): Promise<RawWorker> {
  const raw = new RawWorker(address, workerId);
  raw.onReceived = (received) => {
    if (received.message === 'compute') {
      const { step, nodes } = received.compute;
      if (skip?.(raw, step)) return;
      for (const node of nodes) {
        raw.partial({ step, node, samples: [2, 2] }, sumOf(node, step), { statistics: 1, reports: { lossSum } });
      }
    }
    if (received.message !== 'evaluate') return;
    for (const batch of received.evaluate.batches) {
      const rows = Float32Array.from(batch === 0 ? [-0.25, -2, -1, -0.5] : [-3, -0.125]);
      raw.send({ rows: { term: 1, step: received.evaluate.step, batch, ...withCrc(Buffer.from(rows.buffer)) } });
    }
  };
  await raw.start([0, 1]);
  return raw;
}

/** Answers a Compute message for the whole step with an infinite gradient. */
export function spoil(raw: RawWorker, step: number): void {
  raw.partial({ step, node: { first: 0, count: 2 }, samples: [2, 2] }, new Float32Array(3).fill(Infinity));
}

export const stepsOf = (events: RunEvent[]) => events.flatMap((event) => (event.type === 'step' ? [event.record] : []));
