import type { ServerDuplexStream } from '@grpc/grpc-js';
import { type BeatStream, serveBeats } from '../../coordinator/membership/beat-service.js';
import { CHUNK_VALUES } from '../../proto/chunks.js';
import type { Heartbeat, ReceivedFromWorker, ToWorker } from '../../proto/messages.js';
import { EngineProgress } from '../../worker/engine-progress.js';
import type { EngineEvent, EngineThread, ToEngine } from '../../worker/engine-thread.js';
import { WorkerSession } from '../../worker/session.js';
import { smallManifest } from '../coordinator/manifest.js';
import { serve, within } from '../proto/wire.js';

export type Stream = ServerDuplexStream<ReceivedFromWorker, ToWorker>;
type Kind = ReceivedFromWorker['message'];

export const manifest = smallManifest(CHUNK_VALUES + 2);
export const welcome = { jobJson: JSON.stringify(manifest), term: 7, heartbeatMs: 60_000 };

/**
 * The engine thread only exists as built JavaScript; this one records its input and answers when a test tells it to.
 */
export class ScriptedEngine {
  readonly manifest = manifest;
  readonly progress = new EngineProgress();
  readonly posted: ToEngine[] = [];
  say!: (message: EngineEvent) => void;
  onResult: EngineThread['onResult'];

  listen(listener: (message: EngineEvent) => void): void {
    this.say = listener;
  }

  post(message: ToEngine): void {
    this.posted.push(message);
  }
}

/** A session with a scripted coordinator. */
export class Talk {
  readonly engine = new ScriptedEngine();
  readonly received: ReceivedFromWorker[] = [];
  readonly session: WorkerSession;
  readonly run: Promise<unknown>;
  /** The stream's end as the coordinator saw it. */
  readonly ended: Promise<void>;
  #taken = 0;
  #wake: (() => void) | undefined;

  private constructor(
    address: string,
    private readonly stream: Promise<Stream>,
    welcomeLimitMs: number,
    private readonly heartbeats: Heartbeat[],
  ) {
    this.session = new WorkerSession({
      coordinator: address,
      workerId: 'w1',
      beatKey: new Uint8Array(16).fill(7),
      cores: 4,
      welcomeLimitMs,
      log: () => undefined,
      engineFor: () => this.engine as unknown as EngineThread,
      chunksFor: () => new Map(),
    });
    this.run = this.session.run().catch((error: unknown) => error);
    this.ended = stream.then(
      (call) =>
        new Promise((resolve) => {
          call.on('data', (message: ReceivedFromWorker) => {
            this.received.push(message);
            this.#wake?.();
          });
          call.on('end', () => {
            call.end();
            resolve();
          });
          call.on('cancelled', resolve);
        }),
    );
  }

  static async start(welcomeLimitMs = 60_000): Promise<Talk> {
    let arrived!: (stream: Stream) => void;
    const stream = new Promise<Stream>((resolve) => (arrived = resolve));
    const heard: Heartbeat[] = [];
    const address = await serve({
      Join: (call: Stream) => arrived(call),
      Beat: (call: BeatStream) =>
        serveBeats(call, (heartbeat) => {
          heard.push(heartbeat);
          return true;
        }),
    });
    return new Talk(address, stream, welcomeLimitMs, heard);
  }

  async say(...messages: ToWorker[]): Promise<void> {
    const stream = await this.stream;
    for (const message of messages) stream.write(message);
  }

  async fail(error: object): Promise<void> {
    (await this.stream).emit('error', error);
  }

  async end(): Promise<void> {
    (await this.stream).end();
  }

  async next<K extends Kind>(kind: K): Promise<Extract<ReceivedFromWorker, { message: K }>> {
    for (;;) {
      while (this.#taken < this.received.length) {
        const message = this.received[this.#taken++]!;
        if (message.message === kind) return message as Extract<ReceivedFromWorker, { message: K }>;
      }
      await within(new Promise<void>((resolve) => (this.#wake = resolve)), kind);
    }
  }

  /** The next heartbeat on Beat that `accepts` accepts; others are skipped. */
  async heartbeat(accepts: (heartbeat: Heartbeat) => boolean = () => true): Promise<Heartbeat> {
    const deadline = performance.now() + 5_000;
    for (;;) {
      const found = this.heartbeats.splice(0).find(accepts);
      if (found) return found;
      if (performance.now() > deadline) throw new Error('expected a heartbeat within 5000 ms');
      await new Promise(setImmediate);
    }
  }

  async outcome(): Promise<unknown> {
    return within(this.run, 'the end of the session');
  }

  /** Welcomed and ready. */
  static async welcomed(overrides: Partial<typeof welcome> = {}): Promise<Talk> {
    const talk = await Talk.start(60_000);
    await talk.next('hello');
    await talk.say({ welcome: { ...welcome, ...overrides } });
    while (!talk.session.welcomed) await new Promise(setImmediate);
    return talk;
  }
}
