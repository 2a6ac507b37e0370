import type { ServerWritableStream } from '@grpc/grpc-js';
import { ClusterError, toStatus } from '../../proto/errors.js';
import type { StatusReply } from '../../proto/messages.js';

const everyMs = 1_000;
/** Maximum number of watchers; each costs a message per second. */
const mostWatchers = 64;

type WatchCall = Pick<ServerWritableStream<object, StatusReply>, 'write' | 'end' | 'on' | 'emit'>;

/** Sends the status to watchers, once per second and at the end of the run. */
export class StatusFeed {
  readonly #calls = new Set<WatchCall>();
  /** Calls that haven't read the previous status yet. */
  readonly #full = new Set<WatchCall>();
  #timer: NodeJS.Timeout | undefined;
  /** True while a tick waits for the job to be prepared. */
  #busy = false;

  /** @param status - settles once the job is prepared. */
  constructor(private readonly status: () => Promise<StatusReply>) {}

  serve(call: WatchCall): void {
    if (this.#calls.size >= mostWatchers) {
      const message = `watch: expected at most ${mostWatchers} watchers, got one more; use lockstep status instead`;
      call.emit('error', toStatus(new ClusterError('REFUSED', message)));
      return;
    }
    this.#calls.add(call);
    const gone = () => this.#forget(call);
    call.on('cancelled', gone);
    call.on('error', gone);
    call.on('close', gone);
    call.on('drain', () => this.#full.delete(call));
    this.#timer ??= setInterval(() => void this.#tick(), everyMs).unref();
    void this.#send([call]);
  }

  /** Sends the run's last status to all watchers, and ends the calls. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const calls = [...this.#calls];
    await this.#send(calls);
    for (const call of calls) call.end();
  }

  async #tick(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    await this.#send([...this.#calls]);
    this.#busy = false;
  }

  async #send(calls: readonly WatchCall[]): Promise<void> {
    try {
      const status = await this.status();
      for (const call of calls) {
        if (this.#calls.has(call) && !this.#full.has(call) && !call.write(status)) this.#full.add(call);
      }
    } catch (error) {
      const status = toStatus(new ClusterError('REFUSED', `the job cannot start: ${(error as Error).message}`));
      for (const call of calls) call.emit('error', status);
    }
  }

  #forget(call: WatchCall): void {
    this.#calls.delete(call);
    this.#full.delete(call);
    if (this.#calls.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
