import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { softwareGpu } from './test/programs.js';
import { TierReporter } from './test/tier-reporter.js';

/** A whole training with a killed worker and a resume: the one end-to-end test of `npm test`. */
const mainJob = 'test/e2e/main-job.test.ts';
/** Tests that run on every engine and device. */
const devices = [
  'test/devices/**/*.test.ts',
  'test/engine/contract.test.ts',
  'test/e2e/tensorflow.test.ts',
  'test/engine/tensorflow/*.test.ts',
  'test/e2e/webgpu.test.ts',
];
const kubernetes = ['test/kubernetes/*.test.ts', 'test/deploy/plain.test.ts'];
const system = [
  'test/{e2e,faults,numerics}/**/*.test.ts',
  'test/nats/server/**/*.test.ts',
  // Compiles the kernels with sanitizers.
  'test/engine/native/fuzz/*.test.ts',
  // Wait for real time limits, seconds each.
  'test/run/lock/run-lock.test.ts',
  'test/operator/coordinators/hostile-replies.test.ts',
  'test/operator/kube/monitoring-server.test.ts',
  'test/worker/beats.test.ts',
  'test/observe/page/server/{live-page-tls,health-port}.test.ts',
  'test/coordinator/membership/server.test.ts',
];

/** Test files that do more in the system tier: those that import `test/thorough.ts`. */
const thorough = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join('test', name))
  .filter((path) => readFileSync(path, 'utf8').includes('/thorough.js'));

/** One more than two cores have, because tests also wait. */
const maxWorkers = 3;
const slow = { testTimeout: 120_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    reporters: ['default', new TierReporter()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...devices, ...kubernetes, ...system],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          // Files share a process and its modules: importing them for each file took longer than the tests.
          isolate: false,
          maxWorkers,
        },
      },
      { test: { ...slow, name: 'main-job', include: [mainJob], maxWorkers } },
      {
        test: {
          ...slow,
          name: 'system',
          include: [...system, ...thorough],
          exclude: [mainJob, ...devices],
          env: { LOCKSTEP_THOROUGH: '1' },
          maxWorkers,
          sequence: { groupOrder: 1 },
        },
      },
      { test: { ...slow, name: 'kubernetes', include: kubernetes, maxWorkers, sequence: { groupOrder: 2 } } },
      {
        test: {
          name: 'devices',
          include: devices,
          testTimeout: 60_000,
          sequence: { groupOrder: 3 },
          // The loader of libraries reads these when a process starts.
          env: { ...softwareGpu },
        },
      },
    ],
  },
});
