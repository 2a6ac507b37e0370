import { connectivityState } from '@grpc/grpc-js';
import { ClusterError } from './errors.js';

/**
 * How long one attempt to connect may take, TLS included. Then another begins with a new socket: the kernel repeats its
 * request after 1, 3, 7, 15, 31 and 63 s, so an old attempt may sleep for a minute after the network's return.
 */
export const connectLimitMs = 5_000;

/** A worker that hears nothing of its coordinator for longer gives it up and joins again. */
export const coordinatorLimitMs = 10_000;

/** Bytes of a connection's peer are waited for this long; see `dropSilent`. */
export const connectionLimitMs = 20_000;

/** What a channel must have for its attempt to be watched; every gRPC client has it. */
interface Connecting {
  getChannel(): { getConnectivityState(tryToConnect: boolean): connectivityState };
}

/**
 * Calls `onLate` when `client` is not connected within the limit.
 * @param operation - what the connection is for, with the address.
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
