import type { RunDescription, RunUpdate, WholeRun } from '../../../coordinator/state/feed.js';
import { applyUpdate, type PageState } from './state.js';

/** State of the page's connection to the coordinator. */
export type ConnectionState = 'connecting' | 'live' | 'lost' | 'over';

export interface Snapshot {
  readonly connection: ConnectionState;
  readonly state: PageState | undefined;
}

/** Delay between two attempts to connect. */
const retryMs = 2_000;
/** The coordinator sends an update at least every two seconds. */
const silentMs = 10_000;

/** Follows a run: fetches the whole state, then subscribes to updates; starts over when the connection is lost. */
export class Connection {
  #snapshot: Snapshot = { connection: 'connecting', state: undefined };
  #source: EventSource | undefined;
  #heardMs = performance.now();

  /** @param onChange - called with each new snapshot. */
  constructor(private readonly onChange: (snapshot: Snapshot) => void) {}

  start(): void {
    void this.#begin();
    setInterval(() => this.#checkSilence(), 1_000);
  }

  /** Fetches the whole state, as a reload of the page does. */
  async #begin(): Promise<void> {
    try {
      const response = await fetch('/api/run');
      if (response.status === 401) return location.reload();
      if (!response.ok) throw new Error(`expected the run, got status ${response.status}`);
      const { run, update } = (await response.json()) as WholeRun;
      this.#apply(run, update);
      this.#subscribe(run, update.cursor);
    } catch {
      this.#set({ connection: this.#snapshot.state ? 'lost' : 'connecting' });
      setTimeout(() => void this.#begin(), retryMs);
    }
  }

  #subscribe(run: RunDescription, cursor: string): void {
    const source = (this.#source = new EventSource(`/api/events?after=${cursor}`));
    source.addEventListener('open', () => this.#heard());
    source.addEventListener('update', ({ data }: MessageEvent<string>) => {
      this.#heard();
      const update = JSON.parse(data) as RunUpdate;
      // Another process is answering, perhaps for another run.
      if (update.whole) this.#again();
      else this.#apply(run, update);
    });
    source.addEventListener('over', () => this.#end());
    source.addEventListener('error', () => {
      this.#set({ connection: 'lost' });
      // The browser reconnects by itself, unless the response was not a stream.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#again(), retryMs);
    });
  }

  #again(): void {
    this.#source?.close();
    this.#source = undefined;
    void this.#begin();
  }

  #end(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#set({ connection: 'over' });
  }

  #heard(): void {
    this.#heardMs = performance.now();
    if (this.#snapshot.connection !== 'live') this.#set({ connection: 'live' });
  }

  #checkSilence(): void {
    if (this.#snapshot.connection === 'live' && performance.now() - this.#heardMs > silentMs)
      this.#set({ connection: 'lost' });
  }

  #apply(run: RunDescription, update: RunUpdate): void {
    this.#set({ state: applyUpdate(run, this.#snapshot.state, update) });
  }

  #set(change: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    this.onChange(this.#snapshot);
  }
}
