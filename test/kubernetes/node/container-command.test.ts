import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { commandOf, type ContainerContext, ContainerConfigError, expand, rewritePaths } from './container-command.js';

const context: ContainerContext = {
  image: { entrypoint: ['node', 'main.js'], command: ['start'], env: { TMPDIR: '/image' } },
  folders: new Map([
    ['/etc/job', '/x/job'],
    ['/etc/job/deep', '/x/deep'],
  ]),
  podIp: '127.20.128.1',
  hostIp: '127.0.0.1',
  configMap: (name) => (name === 'settings' ? { MODE: 'fast', EPOCHS: '3' } : undefined),
  secret: (name) => (name === 'token' ? { token: 'hush' } : undefined),
};
const pod: V1Pod = {
  metadata: { name: 'co-0', namespace: 'lab', uid: 'u1', labels: { 'lockstep.dev/job': 'cifar10' } },
  spec: { nodeName: 'local', containers: [] },
};
const run = (container: Partial<V1Container>) => commandOf(pod, { name: 'main', ...container }, context);

describe('the process that a container is', () => {
  it.each([
    ['the image alone', {}, ['node', 'main.js', 'start']],
    ['args replace the image command', { args: ['worker'] }, ['node', 'main.js', 'worker']],
    ['command replaces both', { command: ['sh'] }, ['sh']],
    ['command and args', { command: ['sh'], args: ['-c', 'x'] }, ['sh', '-c', 'x']],
  ])('has the argv of %s', (_, container, argv) => {
    expect(run(container).argv).toEqual(argv);
  });

  it('expands variables that are defined before, in values and args', () => {
    const env = [
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'LISTEN', value: '$(IP):50061' },
      { name: 'EARLY', value: '$(LATE)' },
      { name: 'LATE', value: '1' },
    ];
    const command = run({ env, args: ['--listen', '$(LISTEN)', '$(UNKNOWN)', '$$(IP)'] });
    expect(command.argv.slice(2)).toEqual(['--listen', '127.20.128.1:50061', '$(UNKNOWN)', '$(IP)']);
    expect(command.env).toMatchObject({ LISTEN: '127.20.128.1:50061', EARLY: '$(LATE)' });
  });

  it('takes variables from ConfigMaps, Secrets, labels and limits, its own over those of envFrom', () => {
    const { env } = run({
      envFrom: [{ prefix: 'JOB_', configMapRef: { name: 'settings' } }],
      resources: { limits: { cpu: '2' } },
      env: [
        { name: 'JOB_MODE', value: 'slow' },
        { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'token', key: 'token' } } },
        { name: 'JOB', valueFrom: { fieldRef: { fieldPath: "metadata.labels['lockstep.dev/job']" } } },
        { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
        { name: 'MAYBE', valueFrom: { secretKeyRef: { name: 'none', key: 'x', optional: true } } },
      ],
    });
    expect(env).toEqual({
      HOSTNAME: 'co-0',
      TMPDIR: '/image',
      JOB_MODE: 'slow',
      JOB_EPOCHS: '3',
      TOKEN: 'hush',
      JOB: 'cifar10',
      CPU: '2',
    });
  });

  it('waits for a Secret that is not there', () => {
    const env = [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'none', key: 'token' } } }];
    expect(() => run({ env })).toThrow(new ContainerConfigError('none/token not found'));
  });

  it('finds its volumes at their mount paths, in args and variables', () => {
    const { argv, env } = run({ args: ['/etc/job/job.yaml'], env: [{ name: 'CA', value: '/etc/job/deep/ca.crt' }] });
    expect(argv.at(-1)).toBe('/x/job/job.yaml');
    expect(env['CA']).toBe('/x/deep/ca.crt');
  });
});

it.each([
  ['/etc/job', '/x/job'],
  ['--file=/etc/job/a', '--file=/x/job/a'],
  ['/etc/jobs', '/etc/jobs'],
  ['/etc/job-1', '/etc/job-1'],
  ['/srv/etc/job', '/srv/etc/job'],
  ['/etc/job:/etc/job/deep', '/x/job:/x/deep'],
])('rewrites the mount paths in %s', (text, rewritten) => {
  expect(rewritePaths(text, context.folders)).toBe(rewritten);
});

it('keeps a doubled dollar', () => {
  expect(expand('$$ $$(A) $(A) $A', { A: '1' })).toBe('$ $(A) 1 $A');
});
