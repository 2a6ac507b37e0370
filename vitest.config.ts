import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/faults/**', 'test/kubernetes/*.test.ts', 'test/nats/**', 'test/numerics/**'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'devices',
          include: ['test/engine/webgpu.test.ts'],
          env: { LD_LIBRARY_PATH: '/usr/lib/chromium', VK_ICD_FILENAMES: '/usr/lib/chromium/vk_swiftshader_icd.json' },
        },
      },
      {
        test: {
          name: 'system',
          include: ['e2e', 'faults', 'kubernetes', 'nats', 'numerics'].map((folder) => `test/${folder}/*.test.ts`),
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
