import { type ServerInterceptor, ServerInterceptingCall, ServerListenerBuilder } from '@grpc/grpc-js';

/**
 * Calls `onMessage` with the peer of each call, its `ADDRESS:PORT`, when a whole message has arrived. Behind
 * `requireToken`, that is only for calls with the token.
 */
export function noteMessages(onMessage: (peer: string) => void): ServerInterceptor {
  return (_method, call) => {
    let isNoted = false;
    const listener = new ServerListenerBuilder().withOnReceiveMessage((message, next) => {
      if (!isNoted) onMessage(call.getPeer());
      isNoted = true;
      next(message);
    });
    return new ServerInterceptingCall(call, { start: (next) => next(listener.build()) });
  };
}
