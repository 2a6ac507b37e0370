import type { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import type * as X509 from '@peculiar/x509';

/** A certificate and its private key, both PEM; the key is PKCS #8. */
interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Files for a cluster's mutual TLS. The CA's key is not included, so another certificate needs another CA. */
export interface ClusterCertificates {
  /** Certificate of the CA that signs both sides' certificates, PEM. */
  readonly ca: string;
  /** For the named hosts; valid for servers and clients, because its local workers use it too. */
  readonly coordinator: KeyPair;
  /** For workers and control clients; not valid for servers. */
  readonly worker: KeyPair;
}

export interface CertificateOptions {
  /** DNS names and IP addresses (IPv6 without brackets) of the coordinator; at least one. */
  readonly hosts: readonly string[];
  /** Validity in days. */
  readonly days: number;
  /** Current time, in ms since 1970. */
  readonly nowMs: number;
}

export interface AuthorityOptions extends Omit<CertificateOptions, 'hosts'> {
  /** Keys of the CA, of `caAlgorithm`, with an extractable public key; absent: new ones. */
  readonly keys?: webcrypto.CryptoKeyPair;
}

/** A private CA that issues certificates for one cluster. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  readonly issueCoordinator: (hosts: readonly string[]) => Promise<KeyPair>;
  readonly issueWorker: () => Promise<KeyPair>;
}

/** CA data for signing certificates. */
interface Signer {
  readonly x509: typeof X509;
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly validity: { readonly notBefore: Date; readonly notAfter: Date };
}

/** Algorithm of all keys here. */
export const caAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMs = 86_400_000;
/** Tolerated difference between the clocks of the cluster's machines. */
const clockSkewMs = 300_000;

/** Creates a private CA, and certificates for the coordinator and for the workers. All keys are P-256. */
export async function makeCertificates({ hosts, ...options }: CertificateOptions): Promise<ClusterCertificates> {
  const authority = await createAuthority(options);
  const [coordinator, worker] = await Promise.all([authority.issueCoordinator(hosts), authority.issueWorker()]);
  return { ca: authority.certificate, coordinator, worker };
}

/**
 * Creates a private CA. Two CAs with the same `keys` have the same subject and key identifier, so each verifies
 * certificates that the other issued. Serial number and validity differ.
 */
export async function createAuthority({ days, nowMs, keys: given }: AuthorityOptions): Promise<Authority> {
  // Required by the library's dependency injection, before the library itself.
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const validity = { notBefore: new Date(nowMs - clockSkewMs), notAfter: new Date(nowMs + days * dayMs) };
  const keys = given ?? (await crypto.subtle.generateKey(caAlgorithm, true, ['sign', 'verify']));
  const signer: Signer = { x509, name: `CN=lockstep CA ${await fingerprintOf(keys.publicKey)}`, keys, validity };
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
  return {
    certificate: await signAuthority(signer),
    issueCoordinator: (hosts) =>
      issue(signer, 'CN=lockstep coordinator', [serverAuth, clientAuth], [alternativeNames(x509, hosts)]),
    issueWorker: () => issue(signer, 'CN=lockstep worker', [clientAuth], []),
  };
}

/**
 * Suffix of a CA's name that distinguishes two CAs in messages: the first 32 bits of the public key's SHA-256, in hex.
 */
async function fingerprintOf(publicKey: webcrypto.CryptoKey): Promise<string> {
  const spki = await crypto.subtle.exportKey('spki', publicKey);
  return Buffer.from(await crypto.subtle.digest('SHA-256', spki))
    .toString('hex')
    .slice(0, 8);
}

function alternativeNames(x509: typeof X509, hosts: readonly string[]): X509.Extension {
  return new x509.SubjectAlternativeNameExtension(
    hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
  );
}

async function signAuthority({ x509, name, keys, validity }: Signer): Promise<string> {
  const { keyCertSign, cRLSign } = x509.KeyUsageFlags;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name,
    keys,
    serialNumber: serialNumber(),
    signingAlgorithm: caAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(keyCertSign | cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return certificate.toString('pem') + '\n';
}

/** @param usages - object identifiers of the extended key usages. */
async function issue(ca: Signer, subject: string, usages: string[], more: X509.Extension[]): Promise<KeyPair> {
  const { x509, validity } = ca;
  const keys = await crypto.subtle.generateKey(caAlgorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity,
    subject,
    issuer: ca.name,
    publicKey: keys.publicKey,
    signingKey: ca.keys.privateKey,
    serialNumber: serialNumber(),
    signingAlgorithm: caAlgorithm,
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

/** Random serial number in hex; positive, as X.509 requires. */
function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}
