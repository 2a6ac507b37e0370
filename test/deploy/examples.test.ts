import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readJob } from '../../operator/plan/job-context.js';
import { apiVersion, kind, type TrainingJob } from '../../operator/resource/training-job.js';

const folder = 'deploy/examples';
const objects = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .flatMap((name) =>
    parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => document.toJS() as TrainingJob),
  );
const jobs = new Map(objects.filter((object) => object.kind === kind).map((job) => [job.metadata.name!, job]));
const settings = { image: 'lockstep:test' };

function read(name: string) {
  const job = jobs.get(name)!;
  return readJob({ ...job, metadata: { ...job.metadata, namespace: 'default', uid: 'u' } }, settings);
}

describe('the examples', () => {
  it('are TrainingJobs that the operator takes', () => {
    expect([...jobs.keys()].sort()).toEqual(['cifar10', 'cifar10-cnn4']);
    for (const [name, job] of jobs) {
      expect(job.apiVersion).toBe(apiVersion);
      expect(read(name).problems).toBeUndefined();
    }
    expect(read('cifar10').context).toMatchObject({
      spec: { model: 'cnn3', epochs: 7 },
      fields: { workers: { replicas: 3 } },
    });
    expect(read('cifar10-cnn4').context).toMatchObject({
      spec: { model: 'cnn4', epochs: 100, data: { augment: { flip: true, crop: 4 } }, engine: { device: 'cuda' } },
      fields: { workers: { replicas: 5, resources: { limits: { 'nvidia.com/gpu': 1 } } } },
    });
  });

  it('use claims that they bring along, or that the operator makes', () => {
    const claims = objects.filter((object) => (object.kind as string) === 'PersistentVolumeClaim');
    const { run } = read('cifar10-cnn4').context!.fields.storage;
    expect(claims.map(({ metadata }) => metadata.name)).toEqual([run!.existingClaim]);
    const results = objects.find((object) => (object.kind as string) === 'Pod') as unknown as V1Pod;
    expect(results.spec!.volumes![0]!.persistentVolumeClaim!.claimName).toBe('cifar10-run');
  });
});
