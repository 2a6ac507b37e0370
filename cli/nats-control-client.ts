import { setTimeout as sleep } from 'node:timers/promises';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { describeAddress } from '../coordinator/observe/nats/address.js';
import { controlSubject } from '../coordinator/observe/nats/names.js';
import type { NatsOptions } from '../coordinator/observe/nats/open.js';
import { controlReplySchema, type ControlVerb } from '../coordinator/observe/nats/payloads.js';
import { parseJson } from '../coordinator/observe/nats/parse-json.js';
import { signIn } from '../coordinator/observe/nats/sign-in.js';
import { ClusterError, isClusterErrorCode } from '../proto/errors.js';
import type { ControlReply, HistoryReply, StatusReply } from '../proto/messages.js';
import { type ControlClient, isOver, type WatchListener } from './control-client.js';

const count = z.number();
const text = z.string();
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
const replySchema = z.object({ step: count, state: z.string(), message: z.string() });

const connectMs = 5_000;
/** A pause and a checkpoint wait for the end of a step. */
const answerMs = 10_000;
const watchMs = 1_000;

/** A running job, reached by its name in NATS. */
export class NatsControlClient implements ControlClient {
  #connection: Promise<NatsConnection> | undefined;

  /** @param waitMs - how long `watch` goes on without an answer. */
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
    return this.#ask('pause', {}, replySchema);
  }

  resume(): Promise<ControlReply> {
    return this.#ask('resume', {}, replySchema);
  }

  checkpoint(): Promise<ControlReply> {
    return this.#ask('checkpoint', {}, replySchema);
  }

  stop(): Promise<ControlReply> {
    return this.#ask('stop', {}, replySchema);
  }

  scale(workers: number): Promise<ControlReply> {
    return this.#ask('scale', { workers }, replySchema);
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
    const { job } = this.options;
    const connection = await this.#connect();
    const message = await connection
      .request(controlSubject(job, verb), JSON.stringify(request), { timeout: answerMs })
      .catch((error: unknown) => {
        throw this.#unreachable(verb, error);
      });
    return parseReply(`${verb} of job ${job}`, message.string(), schema);
  }

  async #connect(): Promise<NatsConnection> {
    const { address, creds, job } = this.options;
    this.#connection ??= connect({
      ...signIn(address, creds),
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

  #unreachable(verb: string, cause: unknown): ClusterError {
    const { job, address } = this.options;
    const silent = cause instanceof errors.RequestError && cause.isNoResponders();
    const found = silent ? 'none' : (cause as Error).message;
    return new ClusterError(
      'UNREACHABLE',
      `${verb}: expected a coordinator of job ${job} at ${describeAddress(address)}, got ${found}; ` +
        'check the name, and that the coordinator runs with --nats',
      { cause },
    );
  }
}

/** @throws ClusterError with the code of the refusal, or BAD_MESSAGE when it is no reply of Lockstep. */
function parseReply<Reply>(what: string, text: string, schema: z.ZodType<Reply>): Reply {
  const parsed = controlReplySchema.safeParse(parseJson(text));
  if (parsed.success && !parsed.data.ok) {
    const { code, message } = parsed.data;
    throw new ClusterError(isClusterErrorCode(code) ? code : 'STOPPED', message);
  }
  const reply = schema.safeParse(parsed.data?.ok ? parsed.data.reply : undefined);
  if (reply.success) return reply.data;
  throw new ClusterError('BAD_MESSAGE', `${what}: expected an answer of Lockstep, got ${text.slice(0, 80)}`);
}
