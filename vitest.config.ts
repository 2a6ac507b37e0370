import { defineConfig } from 'vitest/config';
import { softwareGpu } from './test/programs.js';

/** Tests that run on every device; a GPU in software is found by the environment, which is read when a process starts. */
const devices = ['test/devices/*.test.ts', 'test/engine/contract.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            ...devices,
            'test/e2e/**',
            'test/faults/**',
            'test/kubernetes/*.test.ts',
            'test/nats/server/**',
            'test/numerics/**',
          ],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'devices',
          include: devices,
          testTimeout: 60_000,
          // A GPU in software, where there is one; else these tests are skipped.
          env: { ...softwareGpu },
        },
      },
      {
        test: {
          name: 'system',
          include: ['e2e', 'faults', 'kubernetes', 'nats/server', 'numerics'].map(
            (folder) => `test/${folder}/*.test.ts`,
          ),
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Most of their time is waiting; each has processes of its own.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
