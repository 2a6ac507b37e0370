import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** One process incarnation, so that a quick restart is not taken for its predecessor. */
export function newWorkerId(): string {
  return `${hostname().slice(0, 100)}-${randomBytes(4).toString('hex')}`;
}
