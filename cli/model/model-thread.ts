import { Worker } from 'node:worker_threads';
import type { ModelTopology } from '../../engine/engine.js';
import { EngineError, type EngineErrorCode } from '../../engine/errors.js';
import { JobError, type JobErrorCode } from '../../job/errors.js';
import { isModule } from '../../job/models.js';
import { type ModelData, readModelDefinition } from './model-definition.js';

/** Input of the thread. */
export interface ModelThreadData {
  readonly file: string;
  readonly data: ModelData;
}

/** Sent by the thread, once. */
export type ModelThreadResult = { readonly topology: ModelTopology } | { readonly error: SentError };

interface SentError {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
  readonly stack: string | undefined;
}

/** A module makes layers and trains nothing, so this is ample. */
const usualLimitMs = 60_000;
/** Exit code of a thread that awaits a promise after its event loop has run empty. */
const unsettledExitCode = 13;

/**
 * Reads a model from its file. A module runs in a thread of its own, as user code may take long or never end.
 * Signals are handled meanwhile, and the thread ends with this process.
 * @throws JobError BAD_MODEL; also when the module has not returned its model within the limit.
 */
export async function readModel(file: string, data: ModelData, limitMs = usualLimitMs): Promise<ModelTopology> {
  return isModule(file) ? readInThread(file, data, limitMs) : readModelDefinition(file, data);
}

async function readInThread(file: string, data: ModelData, limitMs: number): Promise<ModelTopology> {
  const { imageShape, classes } = data;
  const workerData: ModelThreadData = { file, data: { imageShape, classes } };
  const thread = new Worker(new URL('./model-thread-main.js', import.meta.url), { workerData });
  let timer: NodeJS.Timeout | undefined;
  const result = new Promise<ModelThreadResult>((resolve, reject) => {
    const fail = (found: string) => reject(unfinished(file, limitMs, found));
    timer = setTimeout(() => fail('none; does it loop, or wait for something?'), limitMs);
    thread.once('message', resolve);
    thread.once('error', (error) => fail(`an error outside its function: ${error.message}`));
    thread.once('exit', (code) => fail(describeExit(code)));
  });
  try {
    return topologyOf(await result);
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}

function describeExit(code: number): string {
  return code === unsettledExitCode
    ? 'a wait for a promise that never settles'
    : 'a call of process.exit; leave it out';
}

function topologyOf(result: ModelThreadResult): ModelTopology {
  if ('topology' in result) return result.topology;
  const { name, code, message, stack } = result.error;
  if (name === 'JobError') throw new JobError(code as JobErrorCode, message);
  if (name === 'EngineError') throw new EngineError(code as EngineErrorCode, message);
  throw Object.assign(new Error(message), { stack });
}

function unfinished(file: string, limitMs: number, found: string): JobError {
  const expected = `its module to make a model within ${limitMs / 1000} s`;
  return new JobError('BAD_MODEL', `model ${file}: expected ${expected}, got ${found}`);
}
