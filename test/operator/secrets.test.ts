import { expect, test } from 'vitest';
import { isStillGood, pairOf, type SecretTexts } from '../../deploy/operator/shell/secret-decisions.js';
import { makeCertificates } from '../../proto/certificates.js';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-11-23T00:00:00Z');
const hosts = ['job-coordinator', 'job-coordinator.default.svc', '127.0.0.1'];
const token = 'token';

async function texts(options: { hosts?: string[]; days?: number } = {}): Promise<SecretTexts & { ca: string }> {
  const { ca, coordinator, worker } = await makeCertificates({ hosts, days: 90, nowMs, ...options });
  return { ca, coordinator: { ca, ...coordinator }, worker: { ca, ...worker }, token };
}

test('secrets are good while all are there, for all hosts, with a third of their life left', async () => {
  const good = await texts();
  expect(isStillGood(good, hosts, nowMs)).toBe(true);
  expect(isStillGood(good, hosts, nowMs + 59 * dayMs)).toBe(true);
  expect(isStillGood(good, hosts, nowMs + 61 * dayMs)).toBe(false);
  expect(isStillGood(good, [...hosts, 'elsewhere'], nowMs)).toBe(false);
  expect(isStillGood(good, [...hosts, '127.0.0.2'], nowMs)).toBe(false);
});

test('secrets of which one is missing, unreadable or of another CA are made anew', async () => {
  const good = await texts();
  const other = await texts();
  for (const missing of ['coordinator', 'worker', 'token'] as const) {
    expect(isStillGood({ ...good, [missing]: undefined }, hosts, nowMs)).toBe(false);
  }
  expect(isStillGood({ ...good, worker: other.worker }, hosts, nowMs)).toBe(false);
  expect(isStillGood({ ...good, coordinator: { ...good.coordinator!, cert: 'damaged' } }, hosts, nowMs)).toBe(false);
});

test('a Secret that lacks a part has none', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const data = { 'ca.crt': base64('ca'), 'tls.crt': base64('cert'), 'tls.key': base64('key') };
  expect(pairOf({ data })).toEqual({ ca: 'ca', cert: 'cert', key: 'key' });
  for (const name of Object.keys(data))
    expect(pairOf({ data: { ...data, [name]: undefined as never } })).toBeUndefined();
  expect(pairOf(undefined)).toBeUndefined();
});
