import { connectivityState } from '@grpc/grpc-js';
import { ClusterError } from '../proto/errors.js';

/**
 * Limit of one attempt to connect, including TLS. The next attempt has a new socket: the kernel repeats a request after
 * 1, 3, 7, 15, 31 and 63 s, so an old attempt may sleep for a minute after the network is back.
 */
export const connectLimitMs = 5_000;

/** A worker that hears nothing from its coordinator for this long closes its connections and joins again. */
export const coordinatorLimitMs = 10_000;

/** A connection whose peer sends nothing for this long is closed; see `dropSilent`. */
export const connectionLimitMs = 20_000;

/** The method of a gRPC client that reports if it is connected. */
interface Connecting {
  getChannel(): { getConnectivityState(tryToConnect: boolean): connectivityState };
}

/**
 * Calls `onLate` if `client` is not connected within the limit.
 * @param operation - purpose of the connection with the address, for the message.
 * @returns the timer, to be cleared when the client is closed.
 */
export function limitConnecting(
  client: Connecting,
  operation: string,
  onLate: (error: ClusterError) => void,
): NodeJS.Timeout {
  return setTimeout(() => {
    if (client.getChannel().getConnectivityState(false) === connectivityState.READY) return;
    const limit = connectLimitMs / 1000;
    onLate(new ClusterError('UNREACHABLE', `${operation}: expected a connection within ${limit} s, got none`));
  }, connectLimitMs);
}
