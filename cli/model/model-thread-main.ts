import { parentPort, workerData } from 'node:worker_threads';
import { InvariantError } from '../../util/errors.js';
import { readModelDefinition } from './model-definition.js';
import type { ModelThreadData, ModelThreadResult } from './model-thread.js';

/** Entry point of the thread that runs a model's module. */

const port = parentPort;
if (!port) throw new InvariantError('the model thread was started outside a thread');

async function read({ file, data }: ModelThreadData): Promise<ModelThreadResult> {
  try {
    return { topology: await readModelDefinition(file, data) };
  } catch (error) {
    const { name, code, message, stack } = error as Error & { readonly code?: string };
    return { error: { name, code, message, stack } };
  }
}

port.postMessage(await read(workerData as ModelThreadData));
