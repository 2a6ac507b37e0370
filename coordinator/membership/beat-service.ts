import type { ServerDuplexStream } from '@grpc/grpc-js';
import { ClusterError, toStatus } from '../../proto/errors.js';
import type { Alive, Heartbeat } from '../../proto/messages.js';

export type BeatStream = ServerDuplexStream<Heartbeat, Alive>;

/** Shortest time between two answers to one worker. */
const answerEveryMs = 1_000;

/**
 * Serves Beat, also while the job is being prepared.
 * @param heard - records a heartbeat and returns true if its worker has joined; throws ClusterError for an invalid one.
 */
export function serveBeats(stream: BeatStream, heard: (heartbeat: Heartbeat) => boolean): void {
  let answeredMs = -Infinity;
  stream.on('data', (heartbeat: Heartbeat) => {
    try {
      const joined = heard(heartbeat);
      if (stream.writableNeedDrain || performance.now() - answeredMs < answerEveryMs) return;
      answeredMs = performance.now();
      stream.write({ sentMs: heartbeat.sentMs ?? 0, joined });
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      stream.emit('error', toStatus(error));
    }
  });
  stream.on('end', () => stream.end());
  stream.on('error', () => undefined);
}
