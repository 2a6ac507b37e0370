import { ClusterError } from '../../proto/errors.js';
import type { ControlReply } from '../../proto/messages.js';

/** Starts and drains the workers that this coordinator's command started. @returns a description of the change. */
export type Scaler = (workers: number) => Promise<string>;

/** The trainer as seen by its control; requests take effect at the next step boundary. */
interface SteeredRun {
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

/** Longest time that a reply waits for a step boundary. */
const boundaryLimitMs = 8_000;

/** Control of a run by users and programs, over gRPC or NATS. None of the requests changes the result. */
export class RunControl {
  constructor(private readonly target: ControlTarget) {}

  /** Pauses the run after the current step; workers stay connected. @throws ClusterError REFUSED when it is over. */
  async pause(): Promise<ControlReply> {
    const { trainer } = this.target;
    const reached = await beforeLimit(trainer.requests.pause());
    if (!reached.done) return this.#reply(pending('pause', trainer));
    return this.#reply(reached.value ? `paused after step ${trainer.step}` : 'resumed before it paused');
  }

  /** @throws ClusterError REFUSED when the run is over. */
  async resume(): Promise<ControlReply> {
    const wasPaused = this.target.trainer.requests.resume();
    // Lets the trainer change its state first.
    await new Promise(setImmediate);
    return this.#reply(wasPaused ? `resumed after step ${this.target.trainer.step}` : 'was not paused');
  }

  /** Makes a checkpoint at the next step boundary. @throws ClusterError REFUSED, JobError BAD_RUN_DIRECTORY */
  async checkpoint(): Promise<ControlReply> {
    const { trainer } = this.target;
    const saved = await beforeLimit(trainer.requests.checkpoint());
    return this.#reply(saved.done ? `checkpoint ${saved.value}` : pending('make a checkpoint', trainer));
  }

  /** Stops the run after the current step, with a checkpoint from which it can be resumed. */
  stop(): ControlReply {
    this.target.stop('stopped on request');
    return this.#reply('stopping after the current step; resume with lockstep train --resume');
  }

  /** @throws ClusterError REFUSED when this coordinator's command didn't start the workers. */
  async scale(workers: number): Promise<ControlReply> {
    const scaler = this.target.scaler();
    if (scaler) return this.#reply(await scaler(workers));
    throw new ClusterError(
      'REFUSED',
      'scale: expected a coordinator that starts its own workers (lockstep train), got one that does not; ' +
        'start or stop `lockstep worker` processes where they run',
    );
  }

  #reply(message: string): ControlReply {
    const { trainer } = this.target;
    return { step: trainer.step, state: trainer.state, message };
  }
}

type Reached<Value> = { readonly done: true; readonly value: Value } | { readonly done: false };

/** Result of `work`, unless it takes longer than a reply may wait. */
async function beforeLimit<Value>(work: Promise<Value>): Promise<Reached<Value>> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Reached<Value>>((resolve) => {
    timer = setTimeout(() => resolve({ done: false }), boundaryLimitMs);
  });
  const reached = work.then((value): Reached<Value> => ({ done: true, value }));
  try {
    return await Promise.race([reached, late]);
  } finally {
    clearTimeout(timer);
    reached.catch(() => undefined);
  }
}

function pending(action: string, { state, reason }: SteeredRun): string {
  return `will ${action} after the current step (now ${state}: ${reason})`;
}
