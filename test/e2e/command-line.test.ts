import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { within } from '../proto/wire.js';
import { childrenOf, Command, isAlive, lockstep, main, scratchDirectory, smallJob } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

/** Runs a command whose standard output is closed after the first bytes. @returns exit code and standard error. */
async function withClosedOutput(args: readonly string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.once('data', () => child.stdout.destroy());
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    return { code: await within(code, `the end of ${args.join(' ')}`, 60_000), stderr };
  } finally {
    child.kill('SIGKILL');
  }
}

/** Of another architecture than this computer's. */
const otherIsa = process.arch === 'arm64' ? 'avx2' : 'neon';

describe('a command whose output is no longer read', () => {
  it('ends without a stack trace', async () => {
    expect(await withClosedOutput(['train', '--help'])).toEqual({ code: 0, stderr: '' });
  });

  it('trains to the end', async () => {
    const run = join(scratch.path, 'closed');
    const { code, stderr } = await withClosedOutput([
      'train',
      ...smallJob,
      '--no-http',
      '--workers',
      '1',
      '--run',
      run,
    ]);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))).toMatchObject({ outcome: 'finished', steps: 21 });
  });

  it('stops watching, and leaves the run alone', async () => {
    const args = ['coordinator', ...smallJob, '--listen', '127.0.0.1:0', '--run', join(scratch.path, 'watched')];
    const coordinator = new Command(args);
    try {
      const [, address] = await coordinator.until(/listening on (127\.0\.0\.1:\d+)/);
      const watched = await withClosedOutput(['watch', '--coordinator', address!, '--json']);
      expect(watched).toEqual({ code: 0, stderr: '' });
      expect(coordinator.process.exitCode).toBeNull();
    } finally {
      await coordinator.kill();
    }
  });
});

describe('a command that is stopped during an import that never ends', () => {
  it.each([
    ['SIGTERM', 'loops', 'for (;;);'],
    ['SIGINT', 'waits', 'await new Promise(() => setInterval(() => 0, 1000));'],
  ] as const)('ends soon after %s when the module %s', async (signal, name, text) => {
    const file = join(scratch.path, `${name}.mjs`);
    writeFileSync(file, text);
    const run = join(scratch.path, name);
    const command = new Command(['train', ...smallJob, '--model', file, '--workers', '1', '--no-http', '--run', run]);
    try {
      await command.until(/1 epoch of 21 steps/);
      const workers = await childrenOf(command.process.pid!);
      command.process.kill(signal);
      const { code, stderr } = await within(command.ended, 'the end', 15_000);
      expect(code).toBe(130);
      expect(stderr).toBe(`lockstep: ${signal}: stopped before the first step\n`);
      expect(workers.filter(isAlive)).toEqual([]);
    } finally {
      await command.kill();
    }
  });
});

describe('flags that would have no effect', () => {
  it.each([
    [['verify', 'a', 'b', '--epochs', '1', '--workers', '2'], '--epochs, --workers: expected --replay with it'],
    [['data', 'info', '--size', '5'], '--size: expected --folder with it'],
    [['data', 'info', '--synthetic', '--data', 'x'], '--data: expected no --synthetic with it'],
    [['data', 'info', 'job.yaml', '--folder', 'x'], '--folder: expected no job file with it, got job.yaml'],
    [['train', '--run', 'a', '--runs', 'b'], '--runs: expected no --run with it'],
    [['train', '--resume', 'a', '--runs', 'b'], '--runs: expected no --resume with it'],
    [['runs', '--runs', 'a', '--nats', 'nats://127.0.0.1:1'], '--nats: expected no --runs with it'],
    [
      ['status', '--coordinator', '127.0.0.1:1', '--nats-creds', 'x'],
      '--nats-creds: expected --nats URL and --job NAME',
    ],
    [['status', '--nats', 'nats://127.0.0.1:1', '--job', 'a', '--tls-cert', 'x'], '--tls-cert: expected --coordinator'],
    [['status', '--coordinator', '127.0.0.1:1', '--insecure'], '--insecure: expected --nats URL and --job NAME'],
    [['runs', '--insecure'], '--insecure: expected --nats URL with it'],
    [
      ['status', '--nats', 'nats://127.0.0.1:1', '--job', 'a/b/c'],
      '--job: expected the name of a job, or NAMESPACE/NAME',
    ],
    [['train', '--nats', 'nats://a:secret@h'], '--nats: expected an address without user, password or token'],
    [['train', '--run', ''], '--run: expected a value, got ""; check for an unset shell variable'],
    [['train', '--data', '--no-http'], '--data: expected a value, got "--no-http"; check for an unset shell variable'],
    [['data', 'download', '--from', 'mirror'], '--from: expected a URL such as'],
    [['train', '--workers', '0x2'], '--workers: expected auto or a number from 1 to 1024, got "0x2"'],
    [
      ['train', '--device', 'cuda'],
      'engine.device: expected auto or cpu with engine.name: native, the default, got cuda',
    ],
    [['train', '--engine', 'onnx'], "engine.name onnx: expected ONNX Runtime's library for CUDA, got none"],
    [['train', '--isa', otherIsa], `got ${otherIsa}; choose one of these or none`],
    [['worker', '--coordinator', '127.0.0.1:1', '--wait', '2147484'], 'expected at most 2147483 s'],
  ])('are refused: %j', async (args, message) => {
    const { code, stdout, stderr } = await lockstep(args, { LOCKSTEP_NATS: undefined });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});
