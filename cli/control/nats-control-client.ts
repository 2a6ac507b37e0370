import { setTimeout as sleep } from 'node:timers/promises';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { describeAddress } from '../../nats/address.js';
import { ask, type NoAnswer } from '../../nats/ask.js';
import type { NatsOptions } from '../../nats/open.js';
import { type ControlVerb, replaceControls } from '../../nats/payloads.js';
import { connectionOptions } from '../../nats/sign-in.js';
import { ClusterError, isClusterErrorCode } from '../../proto/errors.js';
import type { ControlReply, HistoryReply, StatusReply } from '../../proto/messages.js';
import { type ControlClient, isOver, type WatchListener } from './control-client.js';
import { findJob } from './nats-jobs.js';

const count = z.number();
/** Text for a terminal; without a token, anybody may have written it. */
const text = z.string().transform(replaceControls);
/** JSON has no NaN. */
const number = count.nullable().transform((value) => value ?? NaN);
const statusSchema = z.object({
  ...{ job: text, state: text, reason: text, model: text, dataset: text, synthetic: z.boolean(), runDirectory: text },
  ...{ step: count, totalSteps: count, epoch: count, epochs: count, generation: count, term: count },
  ...{ loss: number, lossMean: number, learningRate: count, imagesPerSecond: count, samplesTrained: count },
  ...{ secondsLeft: count, testEpoch: count, testLoss: number, testAccuracy: count },
  ...{
    digest: text,
    digestEpoch: count,
    checkpointStep: count,
    fingerprint: text.default(''),
    device: text.default(''),
  },
  ...{ audited: count, speculated: count, faults: count, skipped: count },
  waitingFor: z.array(z.object({ workerId: text, phase: text, shards: z.array(count) })),
  workers: z.array(
    z.object({
      ...{ workerId: text, state: text, engine: text },
      ...{ shards: z.array(count), holding: z.array(count), silentMs: count, residentBytes: count },
      ...{ stepMs: count, sentBytes: count, receivedBytes: count },
    }),
  ),
});
const historySchema = z.object({
  steps: z.array(count),
  losses: z.array(number),
  evaluations: z.array(z.object({ epoch: count, step: count, loss: number, accuracy: count })),
  notes: z.array(z.object({ timeMs: count, text })),
});
const replySchema = z.object({ step: count, state: text, message: text });
const ownerSchema = z.object({ owner: z.string() });

const connectMs = 5_000;
/** A pause and a checkpoint wait for the end of a step. */
const answerMs = 10_000;
const watchMs = 1_000;

/** A running job, reached by its name in NATS. */
export class NatsControlClient implements ControlClient {
  #connection: Promise<NatsConnection> | undefined;
  /** Name of the requested job in NATS. */
  #job: Promise<string> | undefined;

  /** @param waitMs - how long `watch` continues without a reply. */
  constructor(
    private readonly options: NatsOptions,
    private readonly waitMs = 300_000,
  ) {}

  status(): Promise<StatusReply> {
    return this.#ask('status', {}, statusSchema);
  }

  history(points: number): Promise<HistoryReply> {
    return this.#ask('history', { points }, historySchema);
  }

  pause(): Promise<ControlReply> {
    return this.#steer('pause');
  }

  resume(): Promise<ControlReply> {
    return this.#steer('resume');
  }

  checkpoint(): Promise<ControlReply> {
    return this.#steer('checkpoint');
  }

  stop(): Promise<ControlReply> {
    return this.#steer('stop');
  }

  scale(workers: number): Promise<ControlReply> {
    return this.#steer('scale', { workers });
  }

  async watch(listener: WatchListener, signal: AbortSignal): Promise<void> {
    let heardMs = performance.now();
    while (!signal.aborted) {
      try {
        const status = await this.status();
        heardMs = performance.now();
        listener.status(status);
        if (isOver(status)) return;
      } catch (error) {
        const { code, message } = error as ClusterError;
        if (code !== 'UNREACHABLE' || performance.now() - heardMs > this.waitMs) throw error;
        listener.away(message);
      }
      await sleep(watchMs, undefined, { signal }).catch(() => undefined);
    }
  }

  close(): void {
    void this.#connection?.then((connection) => connection.close()).catch(() => undefined);
  }

  async #ask<Reply>(verb: ControlVerb, request: object, schema: z.ZodType<Reply>): Promise<Reply> {
    const connection = await this.#connect();
    const job = await this.#find(connection);
    const answer = await ask(connection, { job, verb, request, seal: this.options.seal, timeoutMs: answerMs });
    if (typeof answer === 'string') throw this.#unanswered(verb, job, answer);
    if (!answer.ok) {
      throw new ClusterError(isClusterErrorCode(answer.code) ? answer.code : 'STOPPED', answer.message);
    }
    const reply = schema.safeParse(answer.reply);
    if (reply.success) return reply.data;
    throw this.#unanswered(verb, job, 'an invalid reply');
  }

  /** Steers the coordinator that has the job now; with a token, no later one can be made to take the request. */
  async #steer(verb: ControlVerb, request: object = {}): Promise<ControlReply> {
    const addressed = this.options.seal ? { ...request, ...(await this.#ask('owner', {}, ownerSchema)) } : request;
    return this.#ask(verb, addressed, replySchema);
  }

  #find(connection: NatsConnection): Promise<string> {
    const { job, seal } = this.options;
    this.#job ??= findJob(connection, job, seal);
    return this.#job;
  }

  async #connect(): Promise<NatsConnection> {
    const { address, job } = this.options;
    this.#connection ??= connect({
      ...connectionOptions(address),
      name: `lockstep control of ${job}`,
      timeout: connectMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: watchMs,
    });
    try {
      return await this.#connection;
    } catch (cause) {
      this.#connection = undefined;
      const found = (cause as Error).message;
      const refused = cause instanceof errors.AuthorizationError;
      throw new ClusterError(
        refused ? 'UNAUTHENTICATED' : 'UNREACHABLE',
        `NATS: expected to connect to ${describeAddress(address)}, got: ${found}`,
        { cause },
      );
    }
  }

  #unanswered(verb: string, job: string, found: NoAnswer): ClusterError {
    const advice = {
      'no listener': 'check the name, and that the coordinator runs with --nats',
      timeout: 'check that the coordinator runs with --nats, and who may publish on its control subject',
      'an unsigned reply': 'check that --token-file matches that of the coordinator; another client may have replied',
      'an invalid reply': 'another client may have replied: pass --token-file',
    }[found];
    return new ClusterError(
      found === 'an unsigned reply' ? 'UNAUTHENTICATED' : found === 'an invalid reply' ? 'BAD_MESSAGE' : 'UNREACHABLE',
      `${verb}: expected a reply from job ${job} at ${describeAddress(this.options.address)}, got ${found}; ${advice}`,
    );
  }
}
