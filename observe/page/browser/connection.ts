import type { RunDescription, RunUpdate, WholeRun } from '../../../coordinator/state/feed.js';
import { applyUpdate, type PageState } from './state.js';

/** Whether what the page shows is current. */
export type Link = 'connecting' | 'live' | 'lost' | 'over';

export interface Snapshot {
  readonly link: Link;
  readonly state: PageState | undefined;
}

/** After the connection is lost for good, and between two attempts. */
const retryMs = 2_000;
/** The coordinator says something every two seconds. */
const silentMs = 10_000;

/** Follows a run: asks for all of it, then for what is new, and again when the connection was lost. */
export class Connection {
  #snapshot: Snapshot = { link: 'connecting', state: undefined };
  #source: EventSource | undefined;
  #heardMs = performance.now();

  /** @param onChange - called with what is to be shown. */
  constructor(private readonly onChange: (snapshot: Snapshot) => void) {}

  start(): void {
    void this.#begin();
    setInterval(() => this.#checkSilence(), 1_000);
  }

  /** Asks for everything, as a reload of the page does. */
  async #begin(): Promise<void> {
    try {
      const response = await fetch('/api/run');
      if (response.status === 401) return location.reload();
      if (!response.ok) throw new Error(`expected the run, got status ${response.status}`);
      const { run, update } = (await response.json()) as WholeRun;
      this.#apply(run, update);
      this.#listen(run, update.cursor);
    } catch {
      this.#set({ link: this.#snapshot.state ? 'lost' : 'connecting' });
      setTimeout(() => void this.#begin(), retryMs);
    }
  }

  #listen(run: RunDescription, cursor: string): void {
    const source = (this.#source = new EventSource(`/api/events?after=${cursor}`));
    source.addEventListener('open', () => this.#heard());
    source.addEventListener('update', ({ data }: MessageEvent<string>) => {
      this.#heard();
      const update = JSON.parse(data) as RunUpdate;
      // Another process answers, so perhaps for another run.
      if (update.whole) this.#again();
      else this.#apply(run, update);
    });
    source.addEventListener('over', () => this.#end());
    source.addEventListener('error', () => {
      this.#set({ link: 'lost' });
      // The browser tries again by itself, unless the answer was no stream.
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
    this.#set({ link: 'over' });
  }

  #heard(): void {
    this.#heardMs = performance.now();
    if (this.#snapshot.link !== 'live') this.#set({ link: 'live' });
  }

  #checkSilence(): void {
    if (this.#snapshot.link === 'live' && performance.now() - this.#heardMs > silentMs) this.#set({ link: 'lost' });
  }

  #apply(run: RunDescription, update: RunUpdate): void {
    this.#set({ state: applyUpdate(run, this.#snapshot.state, update) });
  }

  #set(change: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    this.onChange(this.#snapshot);
  }
}
