import { type ServerInterceptor, ServerInterceptingCall, ServerListenerBuilder } from '@grpc/grpc-js';

/**
 * Calls `onMessage` with the peer (`ADDRESS:PORT`) of each call once a complete message has arrived. Behind
 * `requireToken`, this covers only calls that carry the token.
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
