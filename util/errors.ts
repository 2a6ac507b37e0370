/** A bug in Lockstep itself; fatal, never retried. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
  constructor(message: string) {
    super(`internal: ${message}`);
  }
}
