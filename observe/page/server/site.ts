import { setMaxListeners } from 'node:events';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { StatusReply } from '../../../proto/messages.js';
import type { RunView } from '../../../coordinator/state/run-view.js';
import type { RunUpdate, WholeRun } from '../../../coordinator/state/feed.js';
import type { Cursor } from '../../../coordinator/state/history.js';
import { describeRun, describeUpdate, newBootId, readCursor } from '../../../coordinator/state/update.js';

/** The run as the routes access it. */
export class Site {
  readonly #boot = newBootId();
  readonly #closing = new AbortController();
  #report = false;

  /** @param status - current status of the run. */
  constructor(
    readonly view: RunView,
    private readonly status: () => Promise<StatusReply>,
  ) {
    setMaxListeners(0, this.#closing.signal);
    void access(join(view.path, 'report', 'index.html')).then(
      () => (this.#report = true),
      () => undefined,
    );
  }

  /** Aborted when the run is over; the last updates are then sent. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Current position of the run. */
  get now(): Cursor {
    return this.view.history.cursor;
  }

  close(): void {
    this.#closing.abort();
  }

  /** Position of a client by its cursor; undefined when it has to start over. */
  locate(cursor: string): Cursor | undefined {
    return readCursor(cursor, this.#boot, this.now);
  }

  async whole(): Promise<WholeRun> {
    const { manifest, plan, path } = this.view;
    return { run: describeRun(manifest, plan, path), update: await this.update(undefined) };
  }

  /** Changes since `cursor`. */
  async update(cursor: Cursor | undefined): Promise<RunUpdate> {
    const { plan, history } = this.view;
    const status = await this.status();
    const isOver = history.state.state === 'finished' || history.state.state === 'stopped';
    return describeUpdate({ boot: this.#boot, plan, history, status, report: this.#report || isOver }, cursor);
  }
}
