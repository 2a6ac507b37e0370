import { setTimeout as sleep } from 'node:timers/promises';
import { connect, errors, type NatsConnection } from '@nats-io/transport-node';
import { z } from 'zod';
import { describeAddress } from '../../nats/address.js';
import { ask, type NoAnswer } from '../../nats/ask.js';
import type { NatsOptions } from '../../nats/open.js';
import { type ControlVerb, replaceControls } from '../../nats/payloads.js';
import { connectionOptions } from '../../nats/sign-in.js';
import { ClusterError, isClusterErrorCode } from '../../proto/errors.js';
import { jsonSchema } from '../../proto/json.js';
import type { ControlReply, HistoryReply, StatusReply } from '../../proto/messages.js';
import { type ControlClient, isOver, type WatchListener } from './control-client.js';
import { findJob } from './nats-jobs.js';

/** Replies are those of the gRPC service as JSON. Without a token, anyone may have written them. */
const statusSchema = jsonSchema<StatusReply>('StatusReply', replaceControls);
const historySchema = jsonSchema<HistoryReply>('HistoryReply', replaceControls);
const replySchema = jsonSchema<ControlReply>('ControlReply', replaceControls);
const ownerSchema = z.object({ owner: z.string() });

const connectMs = 5_000;
/** A pause and a checkpoint wait for a step boundary. */
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
    return this.#control('pause');
  }

  resume(): Promise<ControlReply> {
    return this.#control('resume');
  }

  checkpoint(): Promise<ControlReply> {
    return this.#control('checkpoint');
  }

  stop(): Promise<ControlReply> {
    return this.#control('stop');
  }

  scale(workers: number): Promise<ControlReply> {
    return this.#control('scale', { workers });
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

  /** Controls the coordinator that owns the job now. With a token, the request can't be replayed to a later one. */
  async #control(verb: ControlVerb, request: object = {}): Promise<ControlReply> {
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
