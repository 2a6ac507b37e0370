import type { ServerDuplexStream } from '@grpc/grpc-js';
import { ClusterError, toStatus } from '../proto/errors.js';
import type { Alive, Heartbeat } from '../proto/messages.js';

export type BeatStream = ServerDuplexStream<Heartbeat, Alive>;

/** Between two answers to one worker. */
const answerEveryMs = 1_000;

/**
 * Serves Beat, before the job is prepared too.
 * @param heard - takes note of a heartbeat; whether its worker has joined. @throws ClusterError when it makes no sense.
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
