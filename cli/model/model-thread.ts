import { Worker } from 'node:worker_threads';
import type { ModelTopology } from '../../engine/engine.js';
import { EngineError, type EngineErrorCode } from '../../engine/errors.js';
import { JobError, type JobErrorCode } from '../../job/errors.js';
import { isModule } from '../../job/models.js';
import { within } from '../../util/deadline.js';
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

/** Ample: a module only creates layers. */
const usualLimitMs = 60_000;
/** Exit code of a thread whose event loop is empty while it awaits a promise. */
const unsettledExitCode = 13;

/**
 * Reads a model from its file. A module runs in a separate thread, because user code may take long or never end. This
 * process keeps handling signals, and the thread ends with it.
 * @throws JobError BAD_MODEL; also if the module has returned no model within the limit.
 */
export async function readModel(file: string, data: ModelData, limitMs = usualLimitMs): Promise<ModelTopology> {
  return isModule(file) ? readInThread(file, data, limitMs) : readModelDefinition(file, data);
}

async function readInThread(file: string, data: ModelData, limitMs: number): Promise<ModelTopology> {
  const { imageShape, classes } = data;
  const workerData: ModelThreadData = { file, data: { imageShape, classes } };
  const thread = new Worker(new URL('./model-thread-main.js', import.meta.url), { workerData });
  const result = new Promise<ModelThreadResult>((resolve, reject) => {
    const fail = (found: string) => reject(unfinished(file, limitMs, found));
    thread.once('message', resolve);
    thread.once('error', (error) => fail(`an error outside its function: ${error.message}`));
    thread.once('exit', (code) => fail(describeExit(code)));
  });
  try {
    const looping = () => unfinished(file, limitMs, 'none; does it loop, or wait for something?');
    return topologyOf(await within(result, limitMs, looping));
  } finally {
    await thread.terminate();
  }
}

function describeExit(code: number): string {
  return code === unsettledExitCode ? 'a promise that never settles' : 'a call of process.exit; remove it';
}

function topologyOf(result: ModelThreadResult): ModelTopology {
  if ('topology' in result) return result.topology;
  const { name, code, message, stack } = result.error;
  if (name === 'JobError') throw new JobError(code as JobErrorCode, message);
  if (name === 'EngineError') throw new EngineError(code as EngineErrorCode, message);
  throw Object.assign(new Error(message), { stack });
}

function unfinished(file: string, limitMs: number, found: string): JobError {
  const expected = `a model from its module within ${limitMs / 1000} s`;
  return new JobError('BAD_MODEL', `model ${file}: expected ${expected}, got ${found}`);
}
