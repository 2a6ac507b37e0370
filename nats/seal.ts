import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '../util/digest.js';

/** Purpose of a MAC, with its job and run. A value sealed for one purpose is invalid for any other. */
export type SealContext =
  | readonly ['entry', job: string]
  | readonly ['index', job: string, runId: string]
  | readonly ['request', job: string, verb: string]
  | readonly ['reply', job: string, verb: string, nonce: string];

export type Sealed<Value extends object> = Value & { readonly mac: string };

const keyInfo = 'lockstep nats 1';

/**
 * Proves that a JSON object comes from a client with the cluster's token. NATS and its accounts don't have the token, so
 * they can't create or change a sealed object.
 *
 * `mac` is the lower-case hexadecimal HMAC-SHA256 of canonical JSON: an array of the context's elements, then the object
 * without `mac`; keys sorted, no white space. The key is HKDF-SHA256 of the token, without salt.
 */
export class Seal {
  readonly #key: Uint8Array;

  constructor(token: string) {
    this.#key = new Uint8Array(hkdfSync('sha256', token, '', keyInfo, 32));
  }

  /** Returns `value` as JSON data, with its MAC. */
  add<Value extends object>(context: SealContext, value: Value): Sealed<Value> {
    const plain = JSON.parse(JSON.stringify(value)) as Value;
    return { ...plain, mac: this.#macOf(context, plain).toString('hex') };
  }

  /** True if the parsed `value` has the right MAC. */
  fits(context: SealContext, value: unknown): boolean {
    if (typeof value !== 'object' || value === null || !('mac' in value)) return false;
    const { mac, ...rest } = value;
    if (typeof mac !== 'string' || !/^[0-9a-f]{64}$/.test(mac)) return false;
    try {
      return timingSafeEqual(Buffer.from(mac, 'hex'), this.#macOf(context, rest));
    } catch {
      // It is nested too deeply for canonical JSON.
      return false;
    }
  }

  #macOf(context: SealContext, value: object): Buffer {
    const text = canonicalJson([...context, value]);
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

export function sealOf(token: string | undefined): Seal | undefined {
  return token === undefined ? undefined : new Seal(token);
}
