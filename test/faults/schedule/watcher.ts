import { credentials } from '@grpc/grpc-js';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { callMetadata } from '../../../transport/auth.js';
import type { StatusReply } from '../../../proto/messages.js';
import { Control, type ControlClient } from '../../../transport/services.js';
import type { Phase } from './strikes.js';

const pollMs = 15;
const callLimitMs = 500;

/** Polls a run's coordinator for the state of the run. */
export class RunWatcher {
  /** The latest answer. */
  status: StatusReply | undefined;
  /** Time of the latest step or evaluation. */
  progressMs = performance.now();
  readonly #client: ControlClient;
  readonly #checkpoints: string;
  #isClosed = false;
  #done: Promise<void>;

  constructor(port: number, directory: string) {
    this.#client = new Control(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_reconnect_backoff_ms': 100,
    });
    this.#checkpoints = join(directory, 'checkpoints');
    this.#done = this.#poll();
  }

  isIn(phase: Phase): boolean {
    if (phase === 'checkpoint') return isWriting(this.#checkpoints);
    if (phase === 'start') return true;
    const { state, step = 0, totalSteps = 0 } = this.status ?? {};
    const isLast = step > 0 && step === totalSteps;
    if (phase === 'end') return state === 'reporting' || (state === 'evaluating' && isLast);
    return phase === 'evaluation' ? state === 'evaluating' : state === 'training' && !isLast;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#done;
    this.#client.close();
  }

  async #poll(): Promise<void> {
    while (!this.#isClosed) {
      const reply = await this.#ask();
      if (reply && isProgress(this.status, reply)) this.progressMs = performance.now();
      this.status = reply ?? this.status;
      await after(pollMs);
    }
  }

  #ask(): Promise<StatusReply | undefined> {
    const options = { deadline: Date.now() + callLimitMs };
    return new Promise((resolve) => this.#client.Status({}, callMetadata(), options, (_, reply) => resolve(reply)));
  }
}

/** True if a step or an evaluation completed between two answers. A restarted run may be behind its previous start. */
function isProgress(before: StatusReply | undefined, { term, step, testEpoch }: StatusReply): boolean {
  if (before?.term !== term) return false;
  return step > before.step || testEpoch > before.testEpoch;
}

function isWriting(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.part'));
}
