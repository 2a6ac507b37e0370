import type { HttpBindings } from '@hono/node-server';
import type { Context, MiddlewareHandler } from 'hono';
import { countedAddress } from '../../../transport/admission/address.js';
import { peerOf } from '../../../transport/admission/admission.js';

/** Calls `note` with the peer of every request that reaches this middleware. */
export function notePeers(note: (peer: string) => void): MiddlewareHandler {
  return async (context, next) => {
    const socket = socketOf(context);
    if (socket) note(peerOf(socket));
    await next();
  };
}

/** The caller's address as used by limits; '' for a request without a connection, as in tests. */
export function addressOf(context: Context): string {
  return countedAddress(socketOf(context)?.remoteAddress);
}

function socketOf(context: Context) {
  return (context.env as Partial<HttpBindings> | undefined)?.incoming?.socket;
}
