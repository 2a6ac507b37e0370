import type { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type * as X509 from '@peculiar/x509';

/** A certificate and its private key, both PEM; the key is PKCS #8. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** All that a cluster needs for mutual TLS. The CA's key is not among it: who needs another certificate makes all anew. */
export interface ClusterCertificates {
  /** The CA's certificate, PEM: what every side checks the other's certificate against. */
  readonly ca: string;
  /** For the named hosts; a server's certificate that is good for a client too, as it starts local workers. */
  readonly coordinator: KeyPair;
  /** For all workers and for whoever controls the job; no server can be run with it. */
  readonly worker: KeyPair;
}

export interface CertificateOptions {
  /** DNS names and IP addresses (IPv6 without brackets) at which the coordinator is reached; at least one. */
  readonly hosts: readonly string[];
  /** How long they are good for. */
  readonly days: number;
  /** Now, in ms since 1970. */
  readonly nowMs: number;
}

/** A CA with its key, as long as certificates are made. */
interface Authority {
  readonly x509: typeof X509;
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly validity: { readonly notBefore: Date; readonly notAfter: Date };
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;
/** Clocks of the cluster's machines may differ by so much. */
const clockSkewMs = 300_000;

/** Makes a private CA, and with it a certificate of the coordinator and one of the workers. Their keys are P-256. */
export async function makeCertificates({ hosts, days, nowMs }: CertificateOptions): Promise<ClusterCertificates> {
  // The library's dependency injection wants it there first.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const validity = { notBefore: new Date(nowMs - clockSkewMs), notAfter: new Date(nowMs + days * dayMs) };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  // A name of its own, so that messages tell two CAs apart.
  const authority: Authority = { x509, name: `CN=lockstep CA ${serialNumber().slice(0, 8)}`, keys, validity };
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  const names = new x509.SubjectAlternativeNameExtension(
    hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
  );
  const [ca, coordinator, worker] = await Promise.all([
    signAuthority(authority),
    issue(authority, 'CN=lockstep coordinator', [serverAuth, clientAuth], [names]),
    issue(authority, 'CN=lockstep worker', [clientAuth], []),
  ]);
  return { ca: ca.toString('pem') + '\n', coordinator, worker };
}

async function signAuthority({ x509, name, keys, validity }: Authority): Promise<X509.X509Certificate> {
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  return x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name,
    keys,
    serialNumber: serialNumber(),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
}

/** @param usages - object identifiers of what the key may be used for. */
async function issue(ca: Authority, subject: string, usages: string[], more: X509.Extension[]): Promise<KeyPair> {
  const { x509, validity } = ca;
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity,
    subject,
    issuer: ca.name,
    publicKey: keys.publicKey,
    signingKey: ca.keys.privateKey,
    serialNumber: serialNumber(),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(usages),
      await x509.AuthorityKeyIdentifierExtension.create(ca.keys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...more,
    ],
  });
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { cert: certificate.toString('pem') + '\n', key: x509.PemConverter.encode(key, 'PRIVATE KEY') + '\n' };
}

/** 127 random bits in hex; positive, as a certificate wants it. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}
