import { parentPort, workerData } from 'node:worker_threads';
import { InvariantError } from '../../util/errors.js';
import { EventFile } from './file.js';
import type { ToTensorboard } from './start.js';

/** Entry of the thread that writes event files: libraries, drawing and disk are its own affair. */

const port = parentPort;
if (!port) throw new InvariantError('the TensorBoard thread was started outside a thread');

const file = new EventFile(workerData as string, Date.now() / 1000);
let last: Promise<void> = Promise.resolve();

// Each is written after those before it; an error ends the thread, which is told of there.
port.on('message', (message: ToTensorboard) => {
  last = last.then(() => (message === 'end' ? port.close() : file.write(message)));
});
