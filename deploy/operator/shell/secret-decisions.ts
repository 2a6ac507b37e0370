import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { V1Secret } from '@kubernetes/client-node';
import type { TlsIdentity } from '../../../proto/identity.js';

type Pair = Omit<TlsIdentity, 'serverName'>;

/** What is in a job's Secrets; undefined where one is missing or lacks a part. */
export interface SecretTexts {
  readonly coordinator: Pair | undefined;
  readonly worker: Pair | undefined;
  readonly token: string | undefined;
}

/** The part of their life that certificates must have left when a coordinator starts. */
const leftShare = 1 / 3;

/** Texts of a Secret with a certificate. */
export function pairOf(secret: V1Secret | undefined): Pair | undefined {
  const [ca, cert, key] = ['ca.crt', 'tls.crt', 'tls.key'].map((name) => textOf(secret, name));
  return ca !== undefined && cert !== undefined && key !== undefined ? { ca, cert, key } : undefined;
}

export function textOf(secret: V1Secret | undefined, name: string): string | undefined {
  const text = secret?.data?.[name];
  return text === undefined ? undefined : Buffer.from(text, 'base64').toString('utf8');
}

/**
 * Whether a coordinator may start with these Secrets: all there, of one CA (an operator may have died between two of
 * them), good for `hosts`, and with a third of their life left.
 */
export function isStillGood(texts: SecretTexts, hosts: readonly string[], nowMs: number): boolean {
  const { coordinator, worker, token } = texts;
  if (!coordinator || !worker || token === undefined || coordinator.ca !== worker.ca) return false;
  try {
    const certificates = [coordinator.ca, coordinator.cert, worker.cert].map((pem) => new X509Certificate(pem));
    const [, server] = certificates;
    return certificates.every((each) => hasLife(each, nowMs)) && hosts.every((host) => isFor(server!, host));
  } catch {
    return false;
  }
}

function hasLife({ validFrom, validTo }: X509Certificate, nowMs: number): boolean {
  const [fromMs, toMs] = [Date.parse(validFrom), Date.parse(validTo)];
  return toMs - nowMs > (toMs - fromMs) * leftShare;
}

function isFor(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}
