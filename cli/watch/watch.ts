import type { HistoryReply, StatusReply } from '../../proto/messages.js';
import type { ControlClient, WatchListener } from '../control/control-client.js';
import { PlainLines } from './plain.js';

/** Requested points of the curve, enough for a wide terminal. */
const curvePoints = 240;
const historyEveryMs = 2_000;

/** Displays updates of a run. */
export interface Watcher extends WatchListener {
  /** Called every few seconds; absent if history isn't displayed. */
  readonly history?: (history: HistoryReply) => void;
  /** @param leave - call when the user quits. */
  begin(leave: (interrupted: boolean) => void): void;
  end(): void;
}

export interface Watched {
  /** Last received status. */
  readonly status: StatusReply | undefined;
  /** How the user quit, if the run hadn't ended. */
  readonly left: 'quit' | 'interrupted' | undefined;
}

/** Follows a run until it ends or the user quits. @throws ClusterError as `ControlClient.watch` does. */
export async function watchRun(client: ControlClient, watcher: Watcher): Promise<Watched> {
  const abort = new AbortController();
  let [status, left]: [StatusReply | undefined, Watched['left']] = [undefined, undefined];
  const leave = (interrupted: boolean) => {
    left ??= interrupted ? 'interrupted' : 'quit';
    abort.abort();
  };
  const onSignal = () => leave(true);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  // The reader of standard output has closed, as after `| head`.
  const onClosed = () => leave(false);
  process.stdout.on('error', onClosed);
  const refresh = throttled(async () => watcher.history?.(await client.history(curvePoints)));
  watcher.begin(leave);
  try {
    const onStatus = (next: StatusReply) => {
      watcher.status((status = next));
      if (watcher.history) refresh();
    };
    await client.watch({ status: onStatus, away: (reason) => watcher.away(reason) }, abort.signal);
  } finally {
    watcher.end();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    process.stdout.off('error', onClosed);
  }
  return { status, left };
}

/** Calls `work` at most every 2 s, one call at a time. Failures are ignored: the status stream reports them. */
function throttled(work: () => Promise<void>): () => void {
  let nextMs = 0;
  return () => {
    const nowMs = performance.now();
    if (nowMs < nextMs) return;
    nextMs = Infinity;
    const again = () => (nextMs = nowMs + historyEveryMs);
    work().then(again, again);
  };
}

/** Prints each status as one line of JSON. */
export function jsonWatcher(): Watcher {
  return {
    begin: () => undefined,
    status: (status) => console.log(JSON.stringify(status)),
    away: (reason) => console.error(reason),
    end: () => undefined,
  };
}

/** Prints lines of text, for pipes and logs. */
export function plainWatcher(): Watcher {
  const lines = new PlainLines((line) => console.log(line));
  return {
    begin: () => undefined,
    status: (status) => lines.status(status, performance.now()),
    history: (history) => lines.notes(history),
    away: (reason) => lines.away(reason),
    end: () => undefined,
  };
}
