import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { InstructionSet } from '../../engine/engine.js';
import { interruptedExitCode } from '../exit-codes.js';
import { newRunDirectory } from '../runs/run-path.js';
import { checkOptions, trainOptionsSchema } from './check-options.js';
import type { DatasetOptions } from './data.js';
import { openRun, type Run } from './run.js';

/** Value of a field or section of a spec. */
type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

export interface TrainOptions extends DatasetOptions {
  /** Default: `cluster-cnn3`. */
  readonly preset?: string;
  /** Fields that override the preset, by dotted path: `{ epochs: 3, 'optimizer.learningRate': 0.02 }`. */
  readonly set?: Readonly<Record<string, JsonValue>>;
  /** Worker processes; default: one per GPU if the engine uses GPUs, else one per `engine.threads` physical cores. */
  readonly workers?: number;
  /** Instruction set of the native engine; default: the fastest that works. The result doesn't change. */
  readonly isa?: InstructionSet;
  /** Run directory; default: a new one in `runs/`. An unfinished run there is resumed. */
  readonly run?: string | undefined;
  /** Write event files for TensorBoard. */
  readonly tensorboard?: boolean;
  /** Called with each line that `lockstep train` prints; default: `console.log`. */
  readonly onLine?: (line: string) => void;
}

/** Failure of a training; `message` includes its standard error. */
export class TrainError extends Error {
  override readonly name = 'TrainError';

  constructor(
    readonly exitCode: number | null,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Trains a job with a coordinator and workers on this machine, as `lockstep train` does, and opens the run. The processes
 * end with this one. An interrupted run is returned with outcome `stopped`.
 * @throws TrainError if the training fails; TypeError for unknown or invalid options.
 */
export async function train(options: TrainOptions = {}): Promise<Run> {
  checkOptions('train', trainOptionsSchema, options);
  const preset = options.preset ?? 'cluster-cnn3';
  const directory = options.run ?? newRunDirectory('runs', preset, new Date());
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const args = [main, 'train', '--stop-at-stdin-end', '--preset', preset, '--run', directory, ...trainFlags(options)];
  // The child's standard input closes when this process ends, even if it is killed.
  const child = spawn(nodeBinary(), args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const code = await ended(child, options.onLine ?? console.log);
  if (code.exit === 0 || code.exit === interruptedExitCode) return openRun(directory);
  throw new TrainError(code.exit, `train: expected a finished run, got exit code ${code.exit}: ${code.errors.trim()}`);
}

function trainFlags({ synthetic, limit, set, workers, isa, data, tensorboard }: TrainOptions): string[] {
  const fields = {
    ...(synthetic === true && { 'data.dataset': 'synthetic' }),
    ...(limit !== undefined && { 'data.limit': limit }),
    ...set,
  };
  return [
    ...Object.entries(fields).flatMap(([path, value]) => ['--set', `${path}=${JSON.stringify(value)}`]),
    ...(workers === undefined ? [] : ['--workers', String(workers)]),
    ...(isa === undefined ? [] : ['--isa', isa]),
    ...(data === undefined ? [] : ['--data', data]),
    ...(tensorboard === true ? ['--tensorboard'] : []),
  ];
}

/** Path of Node.js, also when this code runs in Deno's notebook kernel. */
function nodeBinary(): string {
  return 'deno' in process.versions ? 'node' : process.execPath;
}

/** Waits for the child, passing on its lines. @returns its exit code and standard error. */
async function ended(child: ChildProcess, onLine: (line: string) => void) {
  let errors = '';
  child.stderr!.on('data', (data: Buffer) => (errors += data.toString()));
  createInterface({ input: child.stdout! }).on('line', onLine);
  const exit = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return { exit, errors };
}
