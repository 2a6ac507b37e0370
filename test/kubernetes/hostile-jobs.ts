import type { TrainingJob } from '../../operator/resource/training-job.js';
import { trainingJob } from './training-job.js';

/** TrainingJobs meant to stop the operator; the API server accepts each of them. */

/** As long as the CRD allows for a topology. */
const topologyLength = 512 * 1024;
const [open, close] = ['['.repeat(topologyLength / 2), ']'.repeat(topologyLength / 2)];
const half = 128 * 1024;

/** A spec that the types forbid. */
const spec = (fields: object) => fields as TrainingJob['spec'];
const long = { model: 'net', preset: 'cluster-cnn3' };
const nested = (levels: number): object => (levels === 0 ? {} : { a: nested(levels - 1) });
const template = (podSpec: object) => ({ workers: { template: { spec: podSpec } } });
const env = (count: number, value: string) =>
  template({
    containers: [{ name: 'worker', env: Array.from({ length: count }, (_, n) => ({ name: `V${n}`, value })) }],
  });

type Kind = readonly [kind: string, spec: TrainingJob['spec'], metadata?: TrainingJob['metadata']];

export const hostileKinds: readonly Kind[] = [
  ['topology-long', spec({ ...long, topology: JSON.stringify('x'.repeat(topologyLength - 2)) })],
  ['topology-deep', spec({ ...long, topology: `${open}${close}` })],
  ['topology-wide', spec({ ...long, topology: '{},'.repeat(topologyLength / 3) })],
  ['template-long', spec({ ...long, ...env(1, 'x'.repeat(1_000_000)), topology: '{}' })],
  ['template-wide', spec(env(20_000, ''))],
  ['template-deep', spec(template(nested(1000)))],
  [
    'labels',
    spec({}),
    { labels: Object.fromEntries(Array.from({ length: 8000 }, (_, n) => [`l${n}`, 'x'.repeat(60)])) },
  ],
  ['annotations', spec({}), { annotations: { a: '<'.repeat(half), b: '"'.repeat(half - 100) } }],
  [
    'invalid',
    spec({
      model: '"<\n'.repeat(1300),
      engine: { name: 'tensorflow', device: 'webgpu', threads: 2 },
      optimizer: { nesterov: true, momentum: 0 },
      data: { path: '<'.repeat(4096) },
    }),
  ],
  ['title', spec({ ...long, model: `a${'.'.repeat(4000)}/`, topology: '{}' })],
];

/** @param index - chooses the kind as well. */
export function hostileJob(index: number, namespace = 'default'): TrainingJob {
  const [kind, fields, metadata] = hostileKinds[index % hostileKinds.length]!;
  const job = trainingJob(`${kind}-${index}`, fields, namespace);
  return { ...job, metadata: { ...job.metadata, ...metadata } };
}
