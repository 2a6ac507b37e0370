import { ClusterError } from '../../proto/errors.js';
import type { ControlReply } from '../../proto/messages.js';

/** Starts and drains the workers that this coordinator's own command started. @returns what it has done, in words. */
export type Scaler = (workers: number) => Promise<string>;

/** The trainer as its control sees it; requests take effect at the next step boundary. */
export interface SteeredRun {
  readonly step: number;
  readonly state: string;
  readonly reason: string;
  readonly requests: {
    pause(): Promise<boolean>;
    resume(): boolean;
    checkpoint(): Promise<string>;
  };
}

export interface ControlTarget {
  readonly trainer: SteeredRun;
  readonly stop: (reason: string) => void;
  readonly scaler: () => Scaler | undefined;
}

/** How long an answer may wait for the border between two steps. */
const borderLimitMs = 8_000;

/** What people and programs may do to a run, by whatever way they ask. None of it changes a bit of the result. */
export class RunControl {
  constructor(private readonly target: ControlTarget) {}

  /** Stops stepping after the step in progress, until `resume`; workers stay. @throws ClusterError REFUSED */
  async pause(): Promise<ControlReply> {
    const { trainer } = this.target;
    const reached = await beforeLimit(trainer.requests.pause());
    if (!reached.done) return this.#reply(notYet('pauses', trainer));
    return this.#reply(reached.value ? `paused after step ${trainer.step}` : 'resumed before it paused');
  }

  /** @throws ClusterError REFUSED when the run is over. */
  async resume(): Promise<ControlReply> {
    const was = this.target.trainer.requests.resume();
    // The trainer notes it by then.
    await new Promise(setImmediate);
    return this.#reply(was ? `going on after step ${this.target.trainer.step}` : 'was not paused');
  }

  /** Makes a checkpoint at the next border. @throws ClusterError REFUSED, JobError BAD_RUN_DIRECTORY */
  async checkpoint(): Promise<ControlReply> {
    const { trainer } = this.target;
    const saved = await beforeLimit(trainer.requests.checkpoint());
    return this.#reply(saved.done ? `checkpoint ${saved.value}` : notYet('makes a checkpoint', trainer));
  }

  /** Ends the run after the step in progress, with a checkpoint; it can be gone on with later. */
  stop(): ControlReply {
    this.target.stop('stopped on demand');
    return this.#reply('stopping after the step in progress; lockstep train --resume goes on');
  }

  /** @throws ClusterError REFUSED when the workers are not this coordinator's own. */
  async scale(workers: number): Promise<ControlReply> {
    const scaler = this.target.scaler();
    if (scaler) return this.#reply(await scaler(workers));
    throw new ClusterError(
      'REFUSED',
      'scale: expected a coordinator that started its workers itself (lockstep train), got one that did not; ' +
        'start or stop `lockstep worker` processes where they run',
    );
  }

  #reply(message: string): ControlReply {
    const { trainer } = this.target;
    return { step: trainer.step, state: trainer.state, message };
  }
}

type Reached<Value> = { readonly done: true; readonly value: Value } | { readonly done: false };

/** What `work` comes to, unless that takes longer than an asker should wait. */
async function beforeLimit<Value>(work: Promise<Value>): Promise<Reached<Value>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Reached<Value>>((resolve) => {
    timer = setTimeout(() => resolve({ done: false }), borderLimitMs);
  });
  const reached = work.then((value): Reached<Value> => ({ done: true, value }));
  try {
    return await Promise.race([reached, late]);
  } finally {
    clearTimeout(timer);
    reached.catch(() => undefined);
  }
}

function notYet(does: string, { state, reason }: SteeredRun): string {
  return `${does} as soon as the step in progress is done (now ${state}: ${reason})`;
}
