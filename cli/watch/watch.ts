import type { HistoryReply, StatusReply } from '../../proto/messages.js';
import type { ControlClient, WatchListener } from '../control/control-client.js';
import { PlainLines } from './plain.js';

/** Points of the curve that are asked for; more do not fit on a terminal. */
const curvePoints = 240;
const historyEveryMs = 2_000;

/** Shows what is heard of a run. */
export interface Watcher extends WatchListener {
  /** Called every few seconds, if there is something to show it on. */
  readonly history?: (history: HistoryReply) => void;
  /** @param leave - ends the watching, on a person's demand. */
  begin(leave: (interrupted: boolean) => void): void;
  end(): void;
}

export interface Watched {
  /** The last that was heard. */
  readonly status: StatusReply | undefined;
  /** How the person left, if the run was not over. */
  readonly left: 'quit' | 'interrupted' | undefined;
}

/** Follows a run until it is over or the person leaves. @throws ClusterError as `ControlClient.watch` does. */
export async function watchRun(client: ControlClient, watcher: Watcher): Promise<Watched> {
  const abort = new AbortController();
  let [status, left]: [StatusReply | undefined, Watched['left']] = [undefined, undefined];
  const leave = (interrupted: boolean) => {
    left ??= interrupted ? 'interrupted' : 'quit';
    abort.abort();
  };
  const onSignal = () => leave(true);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  // The reader of standard output has ended, as after `| head`.
  const onClosed = () => leave(false);
  process.stdout.on('error', onClosed);
  const refresh = throttled(async () => watcher.history?.(await client.history(curvePoints)));
  watcher.begin(leave);
  try {
    const heard = (next: StatusReply) => {
      watcher.status((status = next));
      if (watcher.history) refresh();
    };
    await client.watch({ status: heard, away: (reason) => watcher.away(reason) }, abort.signal);
  } finally {
    watcher.end();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    process.stdout.off('error', onClosed);
  }
  return { status, left };
}

/** Calls `work` at most every few seconds, one call at a time; a failure shows as the status staying away. */
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

/** One line per status, as JSON. */
export function jsonWatcher(): Watcher {
  return {
    begin: () => undefined,
    status: (status) => console.log(JSON.stringify(status)),
    away: (reason) => console.error(reason),
    end: () => undefined,
  };
}

/** Lines for pipes and logs. */
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
