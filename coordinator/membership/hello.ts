import { ClusterError } from '../../proto/errors.js';
import type { ReceivedFromWorker } from '../../proto/messages.js';
import type { JoinStream } from '../../transport/grpc-transport.js';
import { rejectStream } from './session.js';

/** Longest time from the start of a Join stream to its Hello. */
const helloLimitMs = 10_000;

/**
 * Calls `join` once a Join stream has its first message, which `join` then reads first. The stream is rejected if none
 * arrives in time. The message is read early because it marks the connection as authenticated.
 */
export function awaitHello(stream: JoinStream, join: (stream: JoinStream) => void): void {
  const ended = () => settle(new ClusterError('BAD_MESSAGE', 'join: expected Hello first, got the end of the stream'));
  const settle = (error?: ClusterError) => {
    clearTimeout(timer);
    stream.off('data', arrived);
    for (const event of endings) stream.off(event, ended);
    if (error) rejectStream(stream, error);
  };
  const arrived = (message: ReceivedFromWorker) => {
    settle();
    stream.pause();
    stream.unshift(message);
    join(stream);
  };
  const timer = setTimeout(() => {
    settle(new ClusterError('BAD_MESSAGE', `join: expected Hello within ${helloLimitMs / 1000} s, got nothing`));
  }, helloLimitMs);
  stream.on('error', () => undefined);
  for (const event of endings) stream.on(event, ended);
  stream.on('data', arrived);
}

const endings = ['end', 'cancelled', 'error'] as const;
