import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { JobError } from '../job/errors.js';

/** Certificates and key of one side of a connection with mutual TLS, as PEM. */
export interface TlsIdentity {
  /** CAs that may sign the other side's certificate. */
  readonly ca: string;
  /** Own certificate, followed by any intermediate ones. */
  readonly cert: string;
  readonly key: string;
  /** For a client: name that the server's certificate must contain, if it isn't the host of the address. */
  readonly serverName?: string | undefined;
  /** Calls `listener` after each change of these values; absent if they never change. */
  onChange?(listener: () => void): void;
}

/** Required usage of a certificate: `both` for a coordinator whose local workers present the same one. */
export type TlsRole = 'server' | 'client' | 'both';

/** Object identifiers of extended key usages. */
const usages = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };
const makeNew = 'create new ones with lockstep certs';

/**
 * Checks the files of `--tls-cert`, `--tls-key` and `--tls-ca`, so that mistakes are reported at the start.
 * @throws JobError BAD_OPTION
 */
export function checkIdentity(identity: TlsIdentity, role: TlsRole, nowMs: number): void {
  const [own, ...chain] = readCertificates(identity.cert, '--tls-cert');
  const authorities = readCertificates(identity.ca, '--tls-ca');
  if (!own!.checkPrivateKey(readKey(identity.key))) {
    throw problem(`--tls-key: expected the key of the certificate in --tls-cert (${nameOf(own!)}), got another key`);
  }
  checkUsage(own!, role);
  for (const certificate of [own!, ...chain]) checkTime(certificate, '--tls-cert', nowMs);
  const isCurrent = ({ validFrom, validTo }: X509Certificate) =>
    nowMs >= Date.parse(validFrom) && nowMs <= Date.parse(validTo);
  // While one CA replaces another, the file has both, and the old one may expire.
  if (isSignedBy(own!, chain, authorities.filter(isCurrent))) return;
  if (!isSignedBy(own!, chain, authorities)) {
    const expected = authorities.map(nameOf).join(', ');
    throw problem(
      `--tls-ca: expected the CA that signed ${nameOf(own!)}, which is ${issuerOf(own!)}, got ${expected}; ` +
        'pass the three files of one CA',
    );
  }
  for (const certificate of authorities) checkTime(certificate, '--tls-ca', nowMs);
}

/** Longest time before expiry at which a certificate is reported; for short-lived ones, a tenth of their lifetime. */
const noticeMs = 14 * 86_400_000;

/** A warning if own certificates, or all CAs, expire soon or have expired. */
export function describeExpiry({ cert, ca }: Pick<TlsIdentity, 'cert' | 'ca'>, nowMs: number): string | undefined {
  const endOf = ({ validTo }: X509Certificate) => Date.parse(validTo);
  const byEnd = (a: X509Certificate, b: X509Certificate) => endOf(a) - endOf(b);
  const lastAuthority = readCertificates(ca, '--tls-ca').sort(byEnd).at(-1)!;
  const first = [...readCertificates(cert, '--tls-cert'), lastAuthority].sort(byEnd)[0]!;
  const leftMs = endOf(first) - nowMs;
  if (leftMs > Math.min(noticeMs, (endOf(first) - Date.parse(first.validFrom)) / 10)) return undefined;
  const when = leftMs > 0 ? 'expires' : 'expired';
  return `TLS: the certificate ${nameOf(first)} ${when} ${first.validTo}; new connections fail after that; renew it`;
}

/** Certificates of a PEM file, in order; at least one. @throws JobError BAD_OPTION */
function readCertificates(pem: string, option: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  const found = pem.includes('PRIVATE KEY') ? 'a private key' : 'something else';
  if (!blocks) throw problem(`${option}: expected a certificate in PEM format, got ${found}`);
  return blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch (cause) {
      throw problem(`${option}: expected a certificate, got one that can't be parsed (${(cause as Error).message})`);
    }
  });
}

function readKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    const found = pem.includes('ENCRYPTED') ? 'an encrypted one' : `something else (${(cause as Error).message})`;
    throw problem(`--tls-key: expected a private key in PEM format without a passphrase, got ${found}`);
  }
}

function checkTime(certificate: X509Certificate, option: string, nowMs: number): void {
  const { validFrom, validTo } = certificate;
  const name = nameOf(certificate);
  if (nowMs > Date.parse(validTo))
    throw problem(`${option}: expected a valid certificate, got ${name}, which expired ${validTo}; ${makeNew}`);
  if (nowMs >= Date.parse(validFrom)) return;
  throw problem(
    `${option}: expected a valid certificate, got ${name}, which isn't valid before ${validFrom}; check the clock`,
  );
}

function checkUsage(certificate: X509Certificate, role: TlsRole): void {
  // `keyUsage` is the extended usage. It is undefined, contrary to its type, if the certificate has no such limit.
  const allowed = certificate.keyUsage as string[] | undefined;
  for (const side of role === 'both' ? (['server', 'client'] as const) : [role]) {
    if (allowed === undefined || allowed.includes(usages[side])) continue;
    const why = role === 'both' ? ', because local workers present it too' : '';
    throw problem(
      `--tls-cert: expected a certificate for a ${side}${why}, got ${nameOf(certificate)}, which isn't; ${advice[side]}`,
    );
  }
}

const advice = {
  server: 'pass coordinator.crt of lockstep certs here, worker.crt to workers',
  client: 'create it with the usages serverAuth and clientAuth',
};

/** True if `own` is signed, directly or through `chain`, by one of `authorities`. */
function isSignedBy(
  own: X509Certificate,
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
): boolean {
  const isIssuer = (issuer: X509Certificate) => own.checkIssued(issuer) && own.verify(issuer.publicKey);
  if (authorities.some(isIssuer)) return true;
  const next = chain.find(isIssuer);
  return (
    next !== undefined &&
    isSignedBy(
      next,
      chain.filter((other) => other !== next),
      authorities,
    )
  );
}

/** First host name or IP address of a certificate; undefined if it contains none. */
export function firstName(certificate: string): string | undefined {
  const found = /(?:DNS|IP Address):([^,\s]+)/.exec(new X509Certificate(certificate).subjectAltName ?? '')?.[1];
  return found?.replace(/^\*/, 'any');
}

function nameOf({ subject }: X509Certificate): string {
  return `"${oneLine(subject)}"`;
}

function issuerOf({ issuer }: X509Certificate): string {
  return `"${oneLine(issuer)}"`;
}

function oneLine(name: string | undefined): string {
  return (name ?? '').trim().replaceAll('\n', ', ');
}

function problem(message: string): JobError {
  return new JobError('BAD_OPTION', message);
}
