import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { withDeadline } from './deadline.js';

/** One weight of the program, at its place in tf_keras's model. */
export interface PlacedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  /** Layer names from the model to the layer that owns it. */
  readonly path: readonly string[];
  /** Index among that layer's trainable weights, or among its others. */
  readonly index: number;
  readonly trainable: boolean;
  /** base64 of f32, little endian; so are all vectors here. */
  readonly values: string;
}

export interface RunRequest {
  readonly topology: string;
  readonly imageShape: readonly number[];
  readonly normalise: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** base64 of u8 `[batch, H, W, C]` */
  readonly images: string;
  readonly labels: readonly number[];
  readonly weights: readonly PlacedWeight[];
  readonly masks: readonly { name: string; shape: readonly number[]; rate: number; values: string }[];
  /** Also measure the effect of rounding on this model's gradients. */
  readonly sensitivity: boolean;
}

/** tf_keras's refusal of the model, or the model's complete form. */
export type Description = { readonly refusal: string } | { readonly complete: string };

/** Initial values of a weight; `values` if there are at most two distinct numbers, so that they aren't random. */
export interface Initial {
  readonly mean: number;
  readonly deviation: number;
  readonly values?: string;
}

export interface Numbers {
  readonly loss: number;
  /** Of each trainable weight of the request, in its order. */
  readonly gradients: readonly string[];
  /** Of each other weight, after one step of training. */
  readonly state: readonly string[];
  readonly rows: string;
  readonly initial: readonly Initial[];
  /** Change of each gradient when the weights move by 2⁻²², and with float64. */
  readonly sensitivity?: readonly number[];
}

/** `disagreement`: the program's weights or masks don't fit tf_keras's model. */
export type Judgement =
  | { readonly refusal: string }
  | { readonly complete: string; readonly disagreement: string }
  | ({ readonly complete: string } & Numbers);

const answerLimitMs = 60_000;

/** A tf_keras process that answers requests in order. */
export class Judge {
  #next = 0;
  readonly #waiting = new Map<number, (answer: never) => void>();

  private constructor(
    private readonly child: ChildProcess,
    /** e.g. `tf_keras 2.21.0` */
    readonly version: string,
  ) {}

  /** @throws if Python doesn't start or has no tf_keras. */
  static async start(python: string): Promise<Judge> {
    const script = fileURLToPath(new URL('judge.py', import.meta.url));
    const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'ignore'] });
    const lines = createInterface({ input: child.stdout });
    const first = new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`judge: expected tf_keras in ${python}, got exit code ${code}`)));
    });
    const { ready } = JSON.parse(await withDeadline(first, answerLimitMs, 'start of the judge')) as { ready: string };
    const judge = new Judge(child, ready);
    lines.on('line', (line) => judge.#take(line));
    return judge;
  }

  describe(topology: object): Promise<Description> {
    return this.#ask({ task: 'describe', topology: JSON.stringify(topology) });
  }

  run(request: RunRequest): Promise<Judgement> {
    return this.#ask({ task: 'run', ...request });
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill();
    await withDeadline(ended, answerLimitMs, 'end of the judge');
  }

  #ask<T>(request: object): Promise<T> {
    const id = this.#next++;
    const answer = new Promise<T>((resolve) => this.#waiting.set(id, resolve));
    this.child.stdin!.write(`${JSON.stringify({ id, ...request })}\n`);
    return withDeadline(answer, answerLimitMs, 'answer of the judge');
  }

  #take(line: string): void {
    const answer = JSON.parse(line) as { id: number };
    this.#waiting.get(answer.id)?.(answer as never);
    this.#waiting.delete(answer.id);
  }
}
