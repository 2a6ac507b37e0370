import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type * as Module from '../../../cli/workers/local-workers.js';
import { LocalTransports } from '../../../transport/local/coordinator-end.js';
import { built } from '../../coordinator/built.js';
import { until } from '../../until.js';

/** The built module, which starts the built command. */
const { LocalWorkers } = await built<typeof Module>('cli/workers/local-workers.js');

/** Child processes of this process that are workers. */
function workerPids(): string[] {
  return readdirSync('/proc').filter(
    (entry) => /^\d+$/.test(entry) && parentOf(entry) === process.pid && read(entry, 'cmdline').includes('worker'),
  );
}

/** Their environments, from the kernel. */
function workerEnvironments(): Readonly<Record<string, string>>[] {
  return workerPids().map(
    (pid) => Object.fromEntries(read(pid, 'environ').split('\0').map(split)) as Record<string, string>,
  );
}
const split = (entry: string) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)];
const parentOf = (pid: string) => Number(/^PPid:\s*(\d+)$/m.exec(read(pid, 'status'))?.[1]);

/** Nothing if the process has exited. */
function read(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** Options of workers that keep waiting, as no coordinator listens. */
function idleOptions(count: number): Module.LocalWorkersOptions {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-workers-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return {
    ...{ count, cores: 1, cache: false, logFile: join(directory, 'log.jsonl') },
    coordinator: '127.0.0.1:1',
    localTransports: new LocalTransports(),
    onRestart: () => {},
    onExit: () => {},
  };
}

describe.skipIf(process.platform !== 'linux')('local workers (needs Linux)', () => {
  it.each([
    [undefined, 'glibc.malloc.hugetlb=1'],
    ['glibc.malloc.hugetlb=0', 'glibc.malloc.hugetlb=0'],
  ])('use huge pages, unless the environment says otherwise: %s', async (given, expected) => {
    vi.stubEnv('GLIBC_TUNABLES', given);
    onTestFinished(() => void vi.unstubAllEnvs());
    const workers = new LocalWorkers(idleOptions(1));
    try {
      const has = () => workerEnvironments().map((env) => env['GLIBC_TUNABLES']);
      await until(() => has().join() === expected, 10_000, `a worker with ${expected}`);
    } finally {
      await workers.stop();
    }
  });

  it('see one GPU each, a new one that of the one that left, and have a local transport each', async () => {
    vi.stubEnv('CUDA_VISIBLE_DEVICES', undefined);
    onTestFinished(() => void vi.unstubAllEnvs());
    const localTransports = new LocalTransports();
    const added = vi.spyOn(localTransports, 'add');
    const gpus = ['GPU-8a', '1'].map((device) => ({ device, name: 'NVIDIA H200' }));
    const options: Module.LocalWorkersOptions = { ...idleOptions(3), gpus, localTransports };
    const workers = new LocalWorkers(options);
    const devices = () => workerEnvironments().map(({ CUDA_VISIBLE_DEVICES: device }) => device ?? '');
    const are = (...expected: string[]) =>
      until(() => devices().sort().join() === expected.join(), 10_000, `workers on ${expected.join()}`);
    try {
      await are('1', 'GPU-8a', 'GPU-8a');
      expect(workerEnvironments().map((env) => env['CUDA_DEVICE_ORDER'])).toEqual(Array(3).fill('PCI_BUS_ID'));
      const shared = workerPids().map((pid) => readlinkSync(`/proc/${pid}/fd/4`));
      expect(shared).toHaveLength(3);
      expect(shared.sort()).toEqual(
        added.mock.calls.map(([, { file }]) => readlinkSync(`/proc/self/fd/${file.fd}`)).sort(),
      );
      expect(new Set(shared).size).toBe(3);
      const sockets = workerPids().map((pid) => readlinkSync(`/proc/${pid}/fd/5`));
      expect(sockets).toEqual(Array(3).fill(expect.stringMatching(/^socket:/)));
      workers.scale(1);
      await are('GPU-8a');
      workers.scale(2);
      await are('1', 'GPU-8a');
    } finally {
      await workers.stop();
    }
    expect(devices()).toEqual([]);
  });
});
