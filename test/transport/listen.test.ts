import { describe, expect, it } from 'vitest';
import { decideListen, formatEndpoint, isLoopback, parseEndpoint } from '../../transport/listen.js';

describe('an endpoint', () => {
  it.each([
    ['127.0.0.1:50061', { host: '127.0.0.1', port: 50061 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['0.0.0.0:65535', { host: '0.0.0.0', port: 65535 }],
    ['gpu-3.cluster.local:1', { host: 'gpu-3.cluster.local', port: 1 }],
    ['[::1]:50061', { host: '::1', port: 50061 }],
    ['[::ffff:127.0.0.1]:7', { host: '::ffff:127.0.0.1', port: 7 }],
  ])('is read from %s and written the same', (text, endpoint) => {
    expect(parseEndpoint(text, '--listen')).toEqual(endpoint);
    expect(formatEndpoint(endpoint)).toBe(text);
  });

  it.each(['', ':50061', '127.0.0.1', '127.0.0.1:', 'host:65536', 'host:99999', 'host:-1', 'host:5o', 'host:1.5'])(
    'is not read from "%s"',
    (text) => {
      expect(() => parseEndpoint(text, '--listen')).toThrow(
        expect.objectContaining({
          code: 'BAD_OPTION',
          message: `--listen: expected HOST:PORT with a port of 0 to 65535, got "${text}"`,
        }),
      );
    },
  );

  it.each(['::1:50061', 'a:b:1', '[::1]', '[host]:1', 'http://host:1', 'a b:1', 'host:1 ', '[]:1'])(
    'is not read from "%s", which is no host and port',
    (text) => {
      expect(() => parseEndpoint(text, '--coordinator')).toThrow(/^--coordinator: expected HOST:PORT/);
    },
  );
});

describe('loopback', () => {
  it.each(['localhost', '::1', '127.0.0.1', '127.8.9.10'])('is %s', (host) => expect(isLoopback(host)).toBe(true));
  it.each(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.org', '128.0.0.1', 'localhost.evil.org', '1127.0.0.1', ''])(
    'is not "%s"',
    (host) => expect(isLoopback(host)).toBe(false),
  );
});

describe('the listen address', () => {
  const token = 'x'.repeat(32);
  const tls = { ca: 'CA', cert: 'CERT', key: 'KEY' };
  it.each([
    [{ listen: '127.0.0.1:0' }],
    [{ listen: '[::1]:0', token }],
    [{ listen: 'localhost:0', tls }],
    [{ listen: '0.0.0.0:50061', token, tls }],
    [{ listen: '[::]:50061', insecure: true }],
    [{ listen: '10.0.0.1:50061', token, insecure: true }],
    [{ listen: '10.0.0.1:50061', tls, insecure: true }],
  ])('is as given: %j', (options) => {
    expect(formatEndpoint(decideListen(options))).toBe(options.listen);
  });

  const [certificates, secret] = [
    '--tls-cert, --tls-key and --tls-ca (lockstep certs makes them)',
    '--token-file FILE (openssl rand -hex 32 makes one)',
  ];
  it.each([
    [{ listen: '0.0.0.0:50061' }, 'neither', `${certificates} and ${secret}`],
    [{ listen: '[::]:50061', token }, 'no TLS', certificates],
    [{ listen: '192.168.1.5:1', tls, insecure: false }, 'no token', secret],
    [{ listen: 'myhost:0', token: undefined, insecure: undefined }, 'neither', `${certificates} and ${secret}`],
  ])('is refused beyond loopback without protection: %j', (options, found, missing) => {
    expect(() => decideListen(options)).toThrow(
      expect.objectContaining({
        code: 'BAD_OPTION',
        message:
          `--listen ${options.listen}: expected TLS and a token beyond loopback, got ${found}; ` +
          `anyone who reaches this port could join the job or read its data: pass ${missing}, ` +
          'or --insecure where the network is trusted',
      }),
    );
  });
});
