import { makeCertificates } from '../../transport/certificates.js';
import { readJob } from '../plan/job-context.js';
import { planJob } from '../plan/plan-job.js';
import type { Settings } from '../plan/settings.js';
import { apiVersion, kind, type TrainingJob } from '../resource/training-job.js';

/**
 * Runs slow one-time work before the first job: compiles schemas and loads the certificate library. Later it would block
 * the event loop for 0.1 s.
 */
export async function warmUp(settings: Settings): Promise<void> {
  const metadata = { name: 'warm-up', namespace: 'warm-up', uid: 'warm-up' };
  const job = (spec: object) => ({ apiVersion, kind, metadata, spec }) as TrainingJob;
  const read = (each: TrainingJob) => readJob(each, settings);
  for (const spec of [{ preset: 'cluster-cnn3' }, { preset: 'cluster-cnn3', epochs: 'wrong', workers: 'wrong' }]) {
    planJob({ job: job(spec), read, keyId: 'warm-up', children: [], workerPods: [] }, Date.now());
  }
  await makeCertificates({ hosts: ['localhost'], days: 1, nowMs: Date.now() });
}
