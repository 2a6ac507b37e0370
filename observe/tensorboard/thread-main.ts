import { parentPort, workerData } from 'node:worker_threads';
import { InvariantError } from '../../util/errors.js';
import { EventFile } from './file.js';
import type { ToTensorboard } from './start.js';

/** Entry of the thread that writes event files; it loads the libraries, draws, and writes to disk. */

const port = parentPort;
if (!port) throw new InvariantError('the TensorBoard thread was started outside a thread');

const file = new EventFile(workerData as string, Date.now() / 1000);
let last: Promise<void> = Promise.resolve();

// Written in order; an error ends the thread, and the main thread reports it.
port.on('message', (message: ToTensorboard) => {
  last = last.then(() => (message === 'end' ? port.close() : file.write(message)));
});
