import { describe, expect, it } from 'vitest';
import { requestsGpus, withGpuDevice } from '../../../operator/plan/gpu-workers.js';
import { readJob } from '../../../operator/plan/job-context.js';
import { apiVersion, kind, type TrainingJobSpec } from '../../../operator/resource/training-job.js';
import { operatorFieldsSchema } from '../../../operator/resource/operator-fields.js';

const workers = (fields: object) => operatorFieldsSchema.parse({ workers: fields }).workers;
const limits = (quantities: object) => ({ resources: { limits: quantities } });
const container = (resources: object) => ({ template: { spec: { containers: [{ name: 'worker', resources }] } } });

describe("workers' pods", () => {
  it.each([
    ['one GPU', limits({ 'nvidia.com/gpu': 1 }), true],
    ['one GPU in letters', limits({ 'nvidia.com/gpu': '1' }), true],
    ['a shared one', limits({ 'nvidia.com/gpu.shared': 1 }), true],
    ['a slice', limits({ 'nvidia.com/mig-1g.10gb': 1 }), true],
    ['one by request', { resources: { requests: { 'nvidia.com/gpu': 1 } } }, true],
    ['one in the template', container({ limits: { 'nvidia.com/gpu': 1 } }), true],
    ['none', limits({ 'nvidia.com/gpu': 0 }), false],
    ['memory', limits({ memory: '2Gi' }), false],
    ["another maker's GPU", limits({ 'amd.com/gpu': 1 }), false],
    ['nothing', {}, false],
    ['nothing in the template either', container({ limits: { cpu: '1' } }), false],
  ])('ask for %s', (_, fields, asks) => expect(requestsGpus(workers(fields))).toBe(asks));
});

describe('a job on GPUs', () => {
  it.each([
    ['nothing: it is onnx on cuda', {}, { engine: { name: 'onnx', device: 'cuda' } }],
    ['threads only', { engine: { threads: 1 } }, { engine: { threads: 1, name: 'onnx', device: 'cuda' } }],
    ['cpu', { engine: { device: 'cpu' } }, { engine: { device: 'cpu' } }],
    ['tensorflow', { engine: { name: 'tensorflow' } }, { engine: { name: 'tensorflow' } }],
    ['the native engine', { engine: { name: 'native' } }, { engine: { name: 'native' } }],
    ['nonsense, which others refuse', { engine: 'onnx' }, { engine: 'onnx' }],
  ])('with %s', (_, spec, expected) => expect(withGpuDevice(spec)).toEqual(expected));

  const read = (spec: TrainingJobSpec) => {
    const metadata = { name: 'cifar10', namespace: 'default', uid: 'u' };
    return readJob({ apiVersion, kind, metadata, spec }, { image: 'lockstep:test' });
  };

  it('computes on cuda, and one without GPUs on CPUs', () => {
    const onGpus = { preset: 'cluster-cnn3', workers: { resources: { limits: { 'nvidia.com/gpu': 1 } } } };
    expect(read(onGpus).context?.spec.engine).toMatchObject({ name: 'onnx', device: 'cuda' });
    expect(read({ preset: 'cluster-cnn3' }).context?.spec.engine).toMatchObject({ name: 'native', device: 'auto' });
  });
});
