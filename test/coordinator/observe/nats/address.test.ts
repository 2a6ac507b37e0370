import { describe, expect, it } from 'vitest';
import { resolveNats } from '../../../../cli/nats-options.js';
import { describeAddress, parseNatsUrl } from '../../../../coordinator/observe/nats/address.js';

describe('where NATS is', () => {
  it.each([
    ['nats://here', { servers: ['here:4222'], tls: false }],
    ['tls://here:5000/', { servers: ['here:5000'], tls: true }],
    ['nats://[::1]:5000', { servers: ['[::1]:5000'], tls: false }],
    ['nats://ada:p%40ss@here', { servers: ['here:4222'], tls: false, user: 'ada', pass: 'p@ss' }],
    ['nats://t0ken@here', { servers: ['here:4222'], tls: false, token: 't0ken' }],
    ['nats://a:1, nats://b:2', { servers: ['a:1', 'b:2'], tls: false }],
  ])('%s', (url, address) => expect(parseNatsUrl(url)).toEqual(address));

  it('is told without user, password and token', () => {
    expect(describeAddress(parseNatsUrl('nats://ada:pass@here:1'))).toBe('nats://here:1');
    expect(describeAddress(parseNatsUrl('nats://t0ken@a:1,nats://t0ken@b:2'))).toBe('nats://a:1,nats://b:2');
  });

  it.each([
    'here:4222',
    'http://here',
    'nats://',
    'nats://here/path',
    'nats://ada:secret@',
    'nats://a,tls://b',
    '',
    ':',
  ])('refuses %s, without its secrets', (url) => {
    expect(() => parseNatsUrl(url)).toThrow(/^--nats: expected/);
    expect(() => parseNatsUrl(url)).not.toThrow(/secret/);
  });

  it('refuses several servers with several passwords', () => {
    expect(() => parseNatsUrl('nats://a:x@a,nats://a:y@b')).toThrow('the same scheme, user and password');
  });
});

describe('the options', () => {
  it('take the name of the spec where none is given', () => {
    expect(resolveNats({ nats: 'nats://here' }, 'small')).toMatchObject({ job: 'small' });
    expect(resolveNats({ nats: 'nats://here', natsJob: 'Big_1' }, 'small')).toMatchObject({ job: 'Big_1' });
    expect(resolveNats({}, 'small')).toBeUndefined();
  });

  it.each(['a.b', 'a b', '*', '>', '', 'ä', 'x'.repeat(65)])('refuse a name like %j', (natsJob) => {
    expect(() => resolveNats({ nats: 'nats://here', natsJob }, 'small')).toThrow(
      /^--nats-job: expected 1 to 64 letters/,
    );
  });

  it('refuse what makes no sense without --nats, and a credentials file that is not there', () => {
    expect(() => resolveNats({ natsJob: 'a' }, 'small')).toThrow('--nats-job: expected --nats URL with it');
    expect(() => resolveNats({ natsCreds: 'a' }, 'small')).toThrow('--nats-creds: expected --nats URL with it');
    const missing = { nats: 'nats://here', natsCreds: '/nowhere/x.creds' };
    expect(() => resolveNats(missing, 'small')).toThrow(/^--nats-creds: expected a readable file/);
  });
});
