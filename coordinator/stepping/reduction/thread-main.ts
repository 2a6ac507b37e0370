import { parentPort, workerData } from 'node:worker_threads';
import { nativeVectors } from '../../../engine/native/vectors.js';
import { plainVectors } from '../../../job/vectors.js';
import { InvariantError } from '../../../util/errors.js';
import { Accumulator, type AccumulatorSetup, type StepOutcome } from './accumulator.js';
import type { FromArithmetic, ToArithmetic } from './thread.js';

/** Entry of the arithmetic thread: an accumulator driven by messages. */

const port = parentPort;
if (!port) throw new InvariantError('the arithmetic thread was started outside a thread');

const accumulator = new Accumulator(workerData as AccumulatorSetup, nativeVectors() ?? plainVectors);

function post(message: FromArithmetic): void {
  port!.postMessage(message);
}

function report(outcome: StepOutcome | undefined): void {
  if (outcome) post({ kind: 'step', outcome });
}

port.on('message', (message: ToArithmetic) => {
  switch (message.kind) {
    case 'begin':
      accumulator.begin(message.update);
      return;
    case 'chunk':
      return report(
        accumulator.addChunk(
          message.step,
          message.node,
          message.chunk,
          new Float32Array(message.buffer, 0, message.values),
        ),
      );
    case 'report':
      return report(accumulator.addReport(message.step, message.report));
    case 'snapshot':
      return post({ kind: 'snapshot', request: message.request, snapshot: accumulator.snapshot(message.step) });
    case 'copy': {
      const begin = performance.now();
      accumulator.copyState(message.into);
      return post({ kind: 'copied', request: message.request, durationMs: performance.now() - begin });
    }
    case 'digest':
      return post({ kind: 'digest', request: message.request, digest: accumulator.digest(message.step) });
    default:
      message satisfies never;
  }
});
