/** State of one container, as its status shows it. */
export type ContainerState =
  | { readonly type: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly type: 'running'; readonly startedAtMs: number; readonly ready: boolean; readonly started: boolean }
  | Terminated;

export interface Terminated {
  readonly type: 'terminated';
  /** As in a shell: 128 + signal if a signal ended it. */
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

export interface ContainerRecord {
  readonly name: string;
  readonly image: string;
  readonly state: ContainerState;
  /** State of its previous end, if it was restarted. */
  readonly last?: Terminated;
  readonly restarts: number;
}

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** Delays for a container that ends repeatedly; a kubelet has 10 s, 300 s and 600 s. */
export interface Backoff {
  readonly firstMs: number;
  readonly mostMs: number;
  /** After running for this long, it starts with the first delay again. */
  readonly resetMs: number;
}

/** Decides if a container that has ended is restarted, and after which delay. */
export function decideRestart(
  policy: RestartPolicy,
  ended: Terminated,
  failuresInARow: number,
  backoff: Backoff,
): { readonly again: false } | { readonly again: true; readonly delayMs: number; readonly failuresInARow: number } {
  const again = policy === 'Always' || (policy === 'OnFailure' && ended.exitCode !== 0);
  if (!again) return { again };
  const steady = ended.finishedAtMs - ended.startedAtMs >= backoff.resetMs;
  const count = steady ? 0 : failuresInARow;
  // The first restart is immediate, as with a kubelet.
  const delayMs = count === 0 ? 0 : Math.min(backoff.mostMs, backoff.firstMs * 2 ** (count - 1));
  return { again, delayMs, failuresInARow: count + 1 };
}

const signals: Record<string, number> = { SIGHUP: 1, SIGINT: 2, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

export function exitCodeOf(code: number | null, signal: string | null): number {
  return code ?? 128 + (signals[signal ?? ''] ?? 0);
}
