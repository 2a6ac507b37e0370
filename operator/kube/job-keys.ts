import { createECDH, hkdfSync, type webcrypto } from 'node:crypto';
import { InvariantError } from '../../util/errors.js';
import { caAlgorithm } from '../../transport/certificates.js';

/**
 * A job's secrets, derived from the operator's key and the job's UID, so none has to be read from the cluster.
 *
 * HKDF-SHA256 (RFC 5869) without salt, because the operator's key is uniformly random. Each purpose has its own info, so
 * one derived value reveals nothing about another. Changing a derived value requires a new version in `info`.
 */

/** Bytes of the operator's key. */
export const keyBytes = 32;
const idBytes = 4;
const tokenBytes = 32;
/** 128 bits more than the order of P-256 has; the method asks for 64 or more. */
const scalarBytes = 48;
/** Order of P-256's base point: SP 800-186, 3.2.1.3. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** Identifies an operator key in names of Secrets: 8 hex digits that reveal nothing about the key. */
export function keyIdOf(operatorKey: Uint8Array): string {
  return derive(operatorKey, 'key-id', idBytes).toString('hex');
}

/** The token of a job: 64 hex digits. */
export function jobToken(operatorKey: Uint8Array, uid: string): string {
  return derive(operatorKey, jobInfo('job-token', uid), tokenBytes).toString('hex');
}

/**
 * Keys of a job's CA, on P-256, because browsers don't accept Ed25519.
 *
 * The private key is `(c mod (n − 1)) + 1`, with `c` from HKDF: key generation using extra random bits, FIPS 186-5,
 * A.2.1. Its bias against a uniform choice is below 2^-128.
 */
export async function jobCaKeys(operatorKey: Uint8Array, uid: string): Promise<webcrypto.CryptoKeyPair> {
  const bits = derive(operatorKey, jobInfo('job-ca', uid), scalarBytes);
  const scalar = (BigInt(`0x${bits.toString('hex')}`) % (order - 1n)) + 1n;
  const privateKey = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex');
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(privateKey);
  // 0x04, x, y.
  const point = ecdh.getPublicKey();
  const publicJwk = { kty: 'EC', crv: 'P-256', x: base64url(point.subarray(1, 33)), y: base64url(point.subarray(33)) };
  const privateJwk = { ...publicJwk, d: base64url(privateKey) };
  return {
    publicKey: await crypto.subtle.importKey('jwk', publicJwk, caAlgorithm, true, ['verify']),
    privateKey: await crypto.subtle.importKey('jwk', privateJwk, caAlgorithm, false, ['sign']),
  };
}

function jobInfo(purpose: string, uid: string): string {
  if (uid === '') throw new InvariantError('job keys: expected a job with a UID, got one without');
  return `${purpose}/${uid}`;
}

function derive(operatorKey: Uint8Array, info: string, bytes: number): Buffer {
  if (operatorKey.length !== keyBytes) {
    throw new InvariantError(`job keys: expected a key of ${keyBytes} bytes, got ${operatorKey.length}`);
  }
  return Buffer.from(hkdfSync('sha256', operatorKey, Buffer.alloc(0), `lockstep-operator/v1/${info}`, bytes));
}

function base64url(bytes: Buffer): string {
  return bytes.toString('base64url');
}
