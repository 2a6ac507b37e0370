import { z } from 'zod';
import { proofFields, proofSchema } from './payloads.js';
import type { Seal } from './seal.js';

/** Largest difference between the clocks of requester and coordinator. */
const windowMs = 60_000;

export type Admitted =
  | { readonly request: Readonly<Record<string, unknown>>; readonly nonce: string | undefined }
  /** `code` is a ClusterError's. */
  | { readonly code: 'UNAUTHENTICATED' | 'BAD_MESSAGE'; readonly problem: string; readonly nonce: string | undefined };

const objectSchema = z.record(z.string(), z.unknown());

/**
 * Decides which requests may control a run. With a seal, a request must be signed with the token, made within a minute
 * and after this coordinator started, for it or for any coordinator of the job, and not seen before. Without a seal, all
 * are admitted.
 */
export class Admission {
  /** Expiry times of nonces of signed requests; only clients with the token can add to it. */
  readonly #seen = new Map<string, number>();

  /**
   * @param startMs - start of this coordinator; requests to an earlier one can't be replayed to it, unless the
   * requester's clock was ahead and the request names no owner.
   * @param owner - this coordinator's name in the registry.
   */
  constructor(
    private readonly job: string,
    private readonly seal: Seal | undefined,
    private readonly startMs: number,
    private readonly owner: string,
  ) {}

  /** @param value - the parsed request. @param nowMs - since 1970. */
  admit(verb: string, value: unknown, nowMs: number): Admitted {
    const parsed = objectSchema.safeParse(value);
    if (!parsed.success) return { code: 'BAD_MESSAGE', problem: 'expected a JSON object', nonce: undefined };
    const given = Object.entries(parsed.data);
    const isProof = (key: string) => (proofFields as readonly string[]).includes(key);
    const request = Object.fromEntries(given.filter(([key]) => !isProof(key)));
    // Without a token, proofs are ignored: clients may send them anyway.
    if (!this.seal) return { request, nonce: undefined };
    const proof = proofSchema.safeParse(Object.fromEntries(given.filter(([key]) => isProof(key))));
    if (!proof.success || !this.seal.fits(['request', this.job, verb], value)) {
      const problem = "expected a request signed with the run's token, got none or another; pass --token-file";
      return { code: 'UNAUTHENTICATED', problem, nonce: undefined };
    }
    const { nonce } = proof.data;
    const problem = this.#problemOf(proof.data, nowMs);
    return problem === undefined ? { request, nonce } : { code: 'UNAUTHENTICATED', problem, nonce };
  }

  #problemOf({ at, nonce, owner }: z.infer<typeof proofSchema>, nowMs: number): string | undefined {
    this.#forget(nowMs);
    if (Math.abs(nowMs - at) > windowMs) {
      const seconds = Math.round((nowMs - at) / 1000);
      return `expected a request made within ${windowMs / 1000} s, got one of ${seconds} s ago; check the clocks of both machines`;
    }
    if (at < this.startMs) return 'expected a request made after this coordinator started, got an earlier one; retry';
    if (owner !== undefined && owner !== this.owner)
      return 'expected a request for this coordinator, got one for another owner of the job; retry';
    if (this.#seen.has(nonce)) return 'expected a new request, got one that was already executed; retry';
    this.#seen.set(nonce, at + windowMs);
    return undefined;
  }

  #forget(nowMs: number): void {
    for (const [nonce, untilMs] of this.#seen) if (untilMs < nowMs) this.#seen.delete(nonce);
  }
}
