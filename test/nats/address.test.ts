import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chooseJob } from '../../cli/control/nats-jobs.js';
import { readAddress, resolveNats } from '../../cli/options/nats-options.js';
import { describeAddress, parseNatsUrl } from '../../nats/address.js';
import { connectionOptions } from '../../nats/sign-in.js';
import { makeCertificates } from '../../transport/certificates.js';

const directory = mkdtempSync(join(tmpdir(), 'lockstep-nats-options-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, content: string) => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};
const token = 'a token of more than 16'.replaceAll(' ', '-');
const local = 'nats://127.0.0.1:4222';

describe('the address of NATS', () => {
  it.each([
    ['nats://here', { servers: ['here:4222'], tls: false }],
    ['tls://here:5000/', { servers: ['here:5000'], tls: true }],
    ['nats://[::1]:5000', { servers: ['[::1]:5000'], tls: false }],
    ['nats://[::1]', { servers: ['[::1]:4222'], tls: false }],
    ['nats://a:1, nats://b:2', { servers: ['a:1', 'b:2'], tls: false }],
    ['tls://a,tls://b', { servers: ['a:4222', 'b:4222'], tls: true }],
  ])('%s', (url, address) => expect(parseNatsUrl(url)).toEqual(address));

  it('is reported without a scheme that could hide credentials', () => {
    expect(describeAddress(parseNatsUrl('nats://a:1,nats://b:2'))).toBe('nats://a:1,nats://b:2');
  });

  it.each([
    ...['here:4222', 'http://here', 'ws://here', 'nats://', 'nats://here/path', 'nats://here?x', 'nats://a,tls://b'],
    ...['', ':', 'nats://here:65536', `nats://${'a'.repeat(500)}`, 'nats://a,', 'nats://a\nnats://b'],
  ])('refuses %s', (url) => expect(() => parseNatsUrl(url)).toThrow(/^--nats: expected/));

  it.each(['nats://ada:secret@here', 'nats://secret@here', 'nats://ada:secret@', 'tls://a,tls://ada:secret@b'])(
    'refuses %s, without its secrets, and names the files for them',
    (url) => {
      expect(() => parseNatsUrl(url)).toThrow(/without user, password or token.*--nats-token-file FILE/);
      expect(() => parseNatsUrl(url)).not.toThrow(/secret|ada/);
    },
  );
});

describe('the credentials', () => {
  const user = { natsUser: 'ada', natsPasswordFile: file('password', 'pass word\n') };

  it.each([
    [{ natsTokenFile: file('token', 't0ken\n') }, { token: 't0ken' }],
    [user, { user: 'ada', pass: 'pass word' }],
  ])('is read from files: %j', (flags, signIn) => {
    const address = readAddress({ nats: local, ...flags })!;
    expect(address.signIn).toEqual(signIn);
    expect(connectionOptions(address)).toMatchObject(signIn);
  });

  it.each([
    [{ ...user, natsTokenFile: file('other', 't') }, 'expected one way to sign in to NATS, got 2'],
    [{ natsUser: 'ada' }, '--nats-user: expected --nats-password-file with it'],
    [{ natsPasswordFile: file('alone', 'p') }, '--nats-password-file: expected --nats-user with it'],
    [{ natsTokenFile: file('empty', '\n') }, /--nats-token-file .*empty: expected one line/],
    [{ natsTokenFile: file('two', 'a\nb') }, /--nats-token-file .*two: expected one line/],
    [{ natsCreds: '/nowhere/x.creds' }, /^--nats-creds: expected a readable file/],
    [{ natsCa: file('no-ca', 'no') }, '--nats-ca: expected --nats tls://HOST:PORT with it, got nats://'],
  ])('are rejected in invalid combinations: %#', (flags, message) =>
    expect(() => readAddress({ nats: local, ...flags })).toThrow(message),
  );

  it('are sent to another machine over TLS only, or with --insecure', () => {
    const flags = { natsTokenFile: file('t', 't0ken') };
    expect(() => readAddress({ nats: 'nats://here', ...flags })).toThrow(
      /^--nats nats:\/\/here:4222: expected tls:\/\/.*--insecure/,
    );
    expect(() => readAddress({ nats: `${local},nats://here`, ...flags })).toThrow('expected tls://');
    expect(readAddress({ nats: 'tls://here', ...flags })).toMatchObject({ tls: true });
    expect(readAddress({ nats: 'nats://here', insecure: true, ...flags })).toMatchObject({ tls: false });
    expect(readAddress({ nats: 'nats://here' })).toEqual({ servers: ['here:4222'], tls: false });
  });

  it('checks the server against a CA of its own', async () => {
    const { ca } = await makeCertificates({ hosts: ['here'], days: 1, nowMs: Date.now() });
    const address = readAddress({ nats: 'tls://here', natsCa: file('ca', ca) })!;
    expect(connectionOptions(address).tls).toMatchObject({ ca });
    expect(() => readAddress({ nats: 'tls://here', natsCa: file('bad', 'PEM') })).toThrow(
      /expected a certificate in PEM/,
    );
  });
});

describe('the options of a run', () => {
  it('use the name of the spec by default', () => {
    expect(resolveNats({ nats: local }, 'small', undefined)).toMatchObject({ job: 'small', seal: undefined });
    expect(resolveNats({ nats: local, natsJob: 'Big_1' }, 'small', undefined)).toMatchObject({ job: 'Big_1' });
    expect(resolveNats({}, 'small', undefined)).toBeUndefined();
  });

  it('require a token if other clients of a remote server could control the run, or --insecure', () => {
    const nats = 'nats://here';
    expect(() => resolveNats({ nats }, 'small', undefined)).toThrow(/expected a token beyond loopback.*--token-file/);
    expect(resolveNats({ nats, insecure: true }, 'small', undefined)?.seal).toBeUndefined();
    expect(resolveNats({ nats }, 'small', token)?.seal).toBeDefined();
  });

  it.each(['a.b', 'a b', '*', '>', '', 'ä', 'x'.repeat(161)])('refuse a name like %j', (natsJob) => {
    expect(() => resolveNats({ nats: local, natsJob }, 'small', undefined)).toThrow(
      /^--nats-job: expected 1 to 160 letters/,
    );
  });

  it('reject options that have no effect without --nats', () => {
    const alone = (flags: object) => () => resolveNats(flags, 'small', undefined);
    expect(alone({ natsJob: 'a' })).toThrow('--nats-job: expected --nats URL with it');
    expect(alone({ natsCreds: 'a' })).toThrow('--nats-creds: expected --nats URL with it');
    expect(alone({ natsStartOver: true })).toThrow('--nats-start-over: expected --nats URL with it');
  });
});

describe('the selected job', () => {
  const uid = (n: number) => `0000000${n}-0000-4000-8000-000000000000`;
  const entry = (job: string, state: 'training' | 'finished') => ({ job, state });
  const registry = [
    entry(`ml_digits_${uid(1)}`, 'finished'),
    entry(`ml_digits_${uid(2)}`, 'training'),
    entry(`vision_digits_${uid(3)}`, 'finished'),
    entry(`ml_old_${uid(4)}`, 'finished'),
    entry(`ml_twice_${uid(5)}`, 'training'),
    entry(`vision_twice_${uid(6)}`, 'training'),
    entry('laptop', 'training'),
  ];

  it.each([
    ['laptop', 'laptop'],
    ['digits', `ml_digits_${uid(2)}`],
    ['vision/digits', `vision_digits_${uid(3)}`],
    ['old', `ml_old_${uid(4)}`],
    ['ml/twice', `ml_twice_${uid(5)}`],
    [`vision_twice_${uid(6)}`, `vision_twice_${uid(6)}`],
    ['unknown', 'unknown'],
  ])('by %s is %s', (wanted, job) => expect(chooseJob(wanted, registry)).toBe(job));

  it('must be given if several match, or none does', () => {
    expect(() => chooseJob('twice', registry)).toThrow(
      `--job twice: expected one job, got 2; name one of:\n  ml_twice_${uid(5)} (training)\n  vision_twice_${uid(6)} (training)`,
    );
    expect(() => chooseJob('ml/none', registry)).toThrow('expected a job in LOCKSTEP_JOBS, got none named ml/none');
  });
});
