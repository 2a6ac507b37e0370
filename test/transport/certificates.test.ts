import { createPrivateKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  caAlgorithm,
  type ClusterCertificates,
  createAuthority,
  makeCertificates,
} from '../../transport/certificates.js';
import { checkIdentity, firstName, type TlsIdentity, type TlsRole } from '../../transport/tls-identity.js';
import { dayMs, type Identities, identitiesOf } from '../proto/identities.js';

const nowMs = Date.UTC(2026, 10, 23, 12);
const hosts = ['gpu-1.lab', '10.0.0.5', 'fd00::5'];
const [serverAuth, clientAuth] = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'];

let made: ClusterCertificates;
let ours: Identities;
let others: Identities;
beforeAll(async () => {
  const [mine, theirs] = await Promise.all([1, 2].map(() => makeCertificates({ hosts, days: 30, nowMs })));
  made = mine!;
  ours = identitiesOf(made);
  others = identitiesOf(theirs!);
});

describe('certificates of a cluster', () => {
  it('are signed by a CA that signs only end entities', () => {
    const ca = new X509Certificate(made.ca);
    expect([ca.ca, ca.verify(ca.publicKey)]).toEqual([true, true]);
    for (const { cert } of [made.coordinator, made.worker]) {
      const certificate = new X509Certificate(cert);
      expect([certificate.ca, certificate.checkIssued(ca), certificate.verify(ca.publicKey)]).toEqual([
        false,
        true,
        true,
      ]);
    }
  });

  it('are valid for the named hosts, and no others', () => {
    const certificate = new X509Certificate(made.coordinator.cert);
    expect(certificate.checkHost('gpu-1.lab')).toBe('gpu-1.lab');
    expect(certificate.checkIP('10.0.0.5')).toBe('10.0.0.5');
    expect(certificate.checkIP('fd00::5')).toBe('fd00::5');
    expect([certificate.checkHost('gpu-2.lab'), certificate.checkIP('10.0.0.6')]).toEqual([undefined, undefined]);
    expect(new X509Certificate(made.worker.cert).subjectAltName).toBeUndefined();
    expect(firstName(made.coordinator.cert)).toBe('gpu-1.lab');
    expect(firstName(made.worker.cert)).toBeUndefined();
  });

  it("make a worker's certificate unusable for a server", () => {
    expect(new X509Certificate(made.coordinator.cert).keyUsage).toEqual([serverAuth, clientAuth]);
    expect(new X509Certificate(made.worker.cert).keyUsage).toEqual([clientAuth]);
  });

  it('are valid from five minutes ago, as clocks differ, for the requested number of days', () => {
    for (const pem of [made.ca, made.coordinator.cert, made.worker.cert]) {
      const { validFrom, validTo } = new X509Certificate(pem);
      expect(Date.parse(validFrom)).toBe(nowMs - 300_000);
      expect(Date.parse(validTo)).toBe(nowMs + 30 * dayMs);
    }
  });

  it('have P-256 keys of their own, each made once', () => {
    const keys = [made.coordinator.key, made.worker.key, others.worker.key];
    for (const key of keys) {
      expect(createPrivateKey(key).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    }
    expect(new Set(keys).size).toBe(3);
    const serials = [made.ca, made.coordinator.cert, made.worker.cert].map(
      (pem) => new X509Certificate(pem).serialNumber,
    );
    expect(new Set(serials).size).toBe(3);
  });
});

describe('two CAs with the same keys', () => {
  it('are one for a verifier, whenever each was made', async () => {
    const keys = await crypto.subtle.generateKey(caAlgorithm, true, ['sign', 'verify']);
    const [first, second] = [
      await createAuthority({ keys, days: 30, nowMs }),
      await createAuthority({ keys, days: 60, nowMs: nowMs + 20 * dayMs }),
    ];
    const [one, other] = [new X509Certificate(first.certificate), new X509Certificate(second.certificate)];
    expect([one.subject === other.subject, one.serialNumber === other.serialNumber]).toEqual([true, false]);
    expect(one.subject).toMatch(/^CN=lockstep CA [0-9a-f]{8}$/);
    const worker = await second.issueWorker();
    expect(() => checkIdentity({ ca: first.certificate, ...worker }, 'client', nowMs + 25 * dayMs)).not.toThrow();
    expect(new X509Certificate(worker.cert).checkIssued(one)).toBe(true);
    const unrelated = await createAuthority({ days: 30, nowMs });
    expect(new X509Certificate(unrelated.certificate).subject).not.toBe(one.subject);
  });
});

describe('an identity', () => {
  it.each<[TlsRole, keyof Identities]>([
    ['server', 'coordinator'],
    ['both', 'coordinator'],
    ['client', 'coordinator'],
    ['client', 'worker'],
  ])('of a %s is accepted: the %s’s', (role, name) => {
    expect(() => checkIdentity(ours[name], role, nowMs)).not.toThrow();
  });

  it('is accepted with more than one CA, among them its own', () => {
    const ca = others.worker.ca + ours.worker.ca;
    expect(() => checkIdentity({ ...ours.worker, ca }, 'client', nowMs)).not.toThrow();
  });

  const garbled = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  it.each<[string, () => Partial<TlsIdentity>, TlsRole, number, RegExp]>([
    [
      'a key in the place of the certificate',
      () => ({ cert: ours.worker.key }),
      'client',
      0,
      /^--tls-cert: expected a certificate in PEM format, got a private key$/,
    ],
    [
      'no certificate',
      () => ({ cert: 'hello' }),
      'client',
      0,
      /^--tls-cert: expected a certificate in PEM format, got something else$/,
    ],
    [
      'a garbled certificate',
      () => ({ ca: garbled }),
      'client',
      0,
      /^--tls-ca: expected a certificate, got one that can't be parsed \(/,
    ],
    [
      'no key',
      () => ({ key: ours.worker.cert }),
      'client',
      0,
      /^--tls-key: expected a private key in PEM format without a passphrase, got something else/,
    ],
    [
      'the key of another certificate',
      () => ({ key: others.worker.key }),
      'client',
      0,
      /^--tls-key: expected the key of the certificate in --tls-cert \("CN=lockstep worker"\), got another key$/,
    ],
    [
      'another CA',
      () => ({ ca: others.worker.ca }),
      'client',
      0,
      /^--tls-ca: expected the CA that signed "CN=lockstep worker", which is "CN=lockstep CA [0-9a-f]{8}", got "CN=lockstep CA [0-9a-f]{8}"; pass the three files of one CA$/,
    ],
    [
      "a worker's for a coordinator",
      () => ({}),
      'server',
      0,
      /^--tls-cert: expected a certificate for a server, got "CN=lockstep worker", .*pass coordinator\.crt of lockstep certs here/,
    ],
    [
      'one that has ended',
      () => ({}),
      'client',
      31 * dayMs,
      /^--tls-cert: expected a valid certificate, got "CN=lockstep worker", which expired Dec 23 12:00:00 2026 GMT; create new ones with lockstep certs$/,
    ],
    [
      'one that has not begun',
      () => ({}),
      'client',
      -dayMs,
      /^--tls-cert: expected a valid certificate, got "CN=lockstep worker", which isn't valid before Nov 23 11:55:00 2026 GMT; check the clock$/,
    ],
  ])('with %s is rejected', (_, change, role, laterMs, message) => {
    const check = () => checkIdentity({ ...ours.worker, ...change() }, role, nowMs + laterMs);
    expect(check).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringMatching(message) as string }),
    );
  });
});
