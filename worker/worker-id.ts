import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { beatKeyBytes } from '../transport/services.js';

/** One process incarnation, so that a quick restart is not taken for its predecessor. */
export function newWorkerId(): string {
  return `${hostname().slice(0, 100)}-${randomBytes(4).toString('hex')}`;
}

/** Secret of this process that its heartbeats carry; see `Hello.beat_key`. */
export function newBeatKey(): Uint8Array {
  return randomBytes(beatKeyBytes);
}
