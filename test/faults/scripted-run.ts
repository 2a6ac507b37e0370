import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { credentials } from '@grpc/grpc-js';
import { type JobManifest, parseManifest } from '../../job/manifest.js';
import { epochOf, manifestPlan, samplesInStep, type StepPlan } from '../../job/plan.js';
import { sumNode } from '../../job/node-sum.js';
import { checkCrc } from '../../proto/chunks.js';
import type { Compute, Evaluate } from '../../proto/messages.js';
import { channelOptions, Cluster, type ClusterClient } from '../../transport/services.js';
import { RawWorker } from '../coordinator/raw-worker.js';
import { Command, smallJob } from '../e2e/lockstep.js';
import { within } from '../proto/wire.js';

/**
 * A real coordinator process, and one worker with made-up but fixed gradients that computes a step only on demand: so a
 * test knows the step it attacks, and the run's digest doesn't depend on an engine.
 */
export class ScriptedRun {
  readonly #client: ClusterClient;
  readonly worker: RawWorker;
  manifest!: JobManifest;
  #plan!: StepPlan;
  #term = 1;
  #heartbeats: NodeJS.Timeout | undefined;
  /** The last step that may be computed. */
  #permitted = -1;
  #held: Compute[] = [];
  #stepSeen = -1;
  #wake: (() => void) | undefined;

  private constructor(
    readonly command: Command,
    readonly address: string,
    readonly directory: string,
  ) {
    this.#client = new Cluster(address, credentials.createInsecure(), {
      ...channelOptions,
      'grpc.use_local_subchannel_pool': 1,
    });
    this.worker = new RawWorker(address, 'scripted', this.#client);
  }

  /** Resolves when the worker has received step 0. */
  static async start(directory: string, ...flags: string[]): Promise<ScriptedRun> {
    const args = ['coordinator', ...smallJob, ...flags, '--listen', '127.0.0.1:0', '--run', directory];
    const command = new Command([...args, '--heartbeat-limit', '20', '--log-level', 'warn']);
    const [, address] = await command.until(/listening on (127\.0\.0\.1:\d+)/);
    const run = new ScriptedRun(command, address!, directory);
    await run.#join();
    return run;
  }

  /** The step that the coordinator waits for. */
  get step(): number {
    return this.#stepSeen;
  }

  /** Computes the requested step; resolves when the next one is requested. */
  async nextStep(): Promise<void> {
    const next = this.#stepSeen + 1;
    this.#permit(this.#stepSeen);
    while (this.#stepSeen < next) {
      await within(new Promise<void>((resolve) => (this.#wake = resolve)), `step ${next}`, 60_000);
    }
  }

  /** Computes all remaining steps. @returns the final digest. */
  async finish(): Promise<string> {
    this.#permit(Infinity);
    const { code, stdout, stderr } = await within(this.command.ended, 'the run to end', 60_000);
    const digest = /Final digest: ([0-9a-f]{64})/.exec(stdout)?.[1];
    if (code !== 0 || digest === undefined) throw new Error(`expected a digest, got ${code}:\n${stdout}\n${stderr}`);
    return digest;
  }

  /** Resident memory of the coordinator; bytes. */
  residentBytes(): number {
    const status = readFileSync(`/proc/${this.command.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  }

  read(name: string): string {
    return readFileSync(join(this.directory, name), 'utf8');
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeats);
    this.#client.close();
    await this.command.kill();
  }

  async #join(): Promise<void> {
    this.worker.onReceived = (received) => {
      if (received.message === 'compute') this.#onCompute(received.compute);
      if (received.message === 'evaluate') this.#evaluate(received.evaluate);
      if (received.message === 'parameters') checkCrc(received.parameters, 'parameters');
    };
    this.worker.hello();
    const { welcome } = await this.worker.next('welcome');
    this.manifest = parseManifest(welcome.jobJson);
    this.#term = welcome.term;
    this.#plan = manifestPlan(this.manifest);
    const beat = () => this.worker.send({ heartbeat: { phase: 'computing', residentBytes: 1 } });
    this.#heartbeats = setInterval(beat, 200);
    this.worker.ready();
    this.worker.send({ holding: { shards: this.manifest.shards.map((_, shard) => shard) } });
    while (this.#stepSeen < 0) {
      await within(new Promise<void>((resolve) => (this.#wake = resolve)), 'step 0', 15_000);
    }
  }

  #permit(step: number): void {
    this.#permitted = step;
    const held = this.#held.splice(0);
    for (const compute of held) this.#onCompute(compute);
  }

  #onCompute(compute: Compute): void {
    if (compute.step > this.#stepSeen) {
      this.#stepSeen = compute.step;
      this.#wake?.();
    }
    if (compute.step > this.#permitted) this.#held.push(compute);
    else void this.#compute(compute);
  }

  async #compute({ step, nodes }: Compute): Promise<void> {
    const { shards, stateCount } = this.manifest;
    const { stepInEpoch } = epochOf(this.#plan, step);
    const counts = shards.map((_, shard) => samplesInStep(this.#plan, shard, stepInEpoch).count);
    for (const node of nodes) {
      const samples = counts.slice(node.first, node.first + node.count);
      const sum = await sumNode(node, (shard) => Promise.resolve(this.#gradient(step, shard)));
      this.worker.partial({ term: this.#term, step, node, samples }, sum, { statistics: stateCount });
    }
  }

  #gradient(step: number, shard: number): Float32Array {
    const size = 1e-3 * (step + 1);
    return new Float32Array(this.manifest.parameterCount).map((_, i) => (((i + 31 * shard) % 97) - 48) * size);
  }

  #evaluate({ step, batches }: Evaluate): void {
    const classes = this.manifest.dataset.classes.length;
    for (const batch of batches) {
      const rows = new Float32Array(this.manifest.evaluation[batch]!.count * classes).fill(-2.3);
      const data = Buffer.from(rows.buffer);
      this.worker.send({ rows: { term: this.#term, step, batch, data, crc: crc32(data) } });
    }
  }
}
