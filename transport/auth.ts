import { createHash, timingSafeEqual } from 'node:crypto';
import { Metadata, ServerInterceptingCall, ServerListenerBuilder, type ServerInterceptor } from '@grpc/grpc-js';
import { ClusterError, toStatus } from '../proto/errors.js';

const header = 'authorization';

/** Metadata of a call, with the cluster's token if there is one. */
export function callMetadata(token?: string): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set(header, `Bearer ${token}`);
  return metadata;
}

/** Compares two strings in constant time. */
export function tokensEqual(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Rejects calls without `token`. No token is ever logged. */
export function requireToken(token: string): ServerInterceptor {
  const refusal = toStatus(
    new ClusterError('UNAUTHENTICATED', "call: expected the cluster's token, got none or another; pass --token-file"),
  );
  return (_method, call) =>
    new ServerInterceptingCall(call, {
      start: (next) => {
        const listener = new ServerListenerBuilder().withOnReceiveMetadata((metadata, nextMetadata) => {
          const sent = String(metadata.get(header)[0] ?? '');
          if (tokensEqual(sent, `Bearer ${token}`)) nextMetadata(metadata);
          else call.sendStatus(refusal);
        });
        next(listener.build());
      },
    });
}
