import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { InvariantError } from '../../util/errors.js';
import { encodeCheckpoint } from './checkpoint-file.js';
import type { CheckpointRequest, CheckpointThreadSetup, CheckpointWritten } from './checkpoint-thread.js';
import { makeDirectory, writeWhole } from '../write-file.js';

/** Entry point of the checkpoint thread: hashes and writes the shared vector. */

const port = parentPort;
if (!port) throw new InvariantError('the checkpoint thread was started outside a thread');

const { layout, vector } = workerData as CheckpointThreadSetup;

async function write({ path, head }: CheckpointRequest): Promise<CheckpointWritten> {
  try {
    await makeDirectory(dirname(path));
    await writeWhole(path, encodeCheckpoint(layout, head, vector));
    return {};
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

port.on('message', (request: CheckpointRequest) => void write(request).then((written) => port.postMessage(written)));
