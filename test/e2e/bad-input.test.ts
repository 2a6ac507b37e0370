import { createServer } from 'node:net';
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, describe, expect, it } from 'vitest';
import { callMetadata } from '../../transport/auth.js';
import { fromServiceError } from '../../proto/errors.js';
import { Cluster, PROTOCOL_VERSION } from '../../transport/services.js';
import { Command, lockstep, scratchDirectory, smallJob } from './lockstep.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);
const fresh = (() => {
  let runs = 0;
  return () => join(scratch.path, `run-${runs++}`);
})();

/** Output of a training command that can't start; checks that no process and no half-written file is left. */
async function refusal(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  const { code, stderr, stdout } = await lockstep(['train', ...args]);
  expect(stdout).not.toContain('Train Epoch');
  return { code, stderr };
}

describe('wrong input is refused with what was expected, what was found, and what to do', () => {
  it('a broken spec: all problems at once, with their places', async () => {
    const file = join(scratch.path, 'broken.yaml');
    writeFileSync(file, 'name: Trial\nmodel: cnn3\nepochs: 0\nshards: 5\nbatchPerShard: 49\noptimiser: {type: sgd}\n');
    const { code, stderr } = await refusal(file, '--run', fresh());
    expect(code).toBe(2);
    for (const part of ['name', 'epochs', 'optimiser', 'broken.yaml:']) expect(stderr).toContain(part);
  });

  it('a spec with controls in a key: they are shown, not sent to the terminal', async () => {
    const file = join(scratch.path, 'controls.yaml');
    writeFileSync(file, 'name: trial\n"\\e]0;mine\\a": 1\n');
    const { code, stderr } = await refusal(file, '--run', fresh());
    expect(code).toBe(2);
    expect(stderr).toContain('\\u001b]0;mine\\u0007: unknown key');
    expect(stderr).not.toContain('\x1b');
  });

  it('an unknown model', async () => {
    const { code, stderr } = await refusal(...smallJob, '--model', 'cnn5', '--run', fresh());
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/cnn5.*/s);
    expect(stderr).toContain('cnn4');
  });

  it('a wrong flag', async () => {
    const { code, stderr } = await refusal('--epoch', '3');
    expect(code).toBe(2);
    expect(stderr).toContain('--epochs');
  });

  it('a truncated batch file, by name', async () => {
    const data = join(scratch.path, 'truncated');
    mkdirSync(data);
    for (const name of ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch']) {
      writeFileSync(join(data, `${name}.bin`), '');
      truncateSync(join(data, `${name}.bin`), 30_730_000 - (name === 'data_batch_4' ? 1 : 0));
    }
    const run = fresh();
    const { code, stderr } = await refusal('--preset', 'cluster-cnn3', '--data', data, '--run', run);
    expect(code).toBe(2);
    expect(stderr).toMatch(/data_batch_4\.bin/);
    expect(stderr).toContain('30730000');
    expect(existsSync(run)).toBe(false);
  });

  it('no data at all: train never falls back to the synthetic dataset', async () => {
    const { code, stderr } = await refusal('--preset', 'cluster-cnn3', '--data', scratch.path, '--run', fresh());
    expect(code).toBe(2);
    expect(stderr).toContain('data_batch_1.bin');
  });

  it('a missing path, before anything is made', async () => {
    const runs = join(scratch.path, 'no', 'runs');
    const { code, stderr } = await refusal('--data', join(scratch.path, 'nowhere'), '--runs', runs);
    expect(code).toBe(2);
    expect(stderr).toContain(`got no such file or directory (ENOENT); --data: ${join(scratch.path, 'nowhere')}`);
    expect(existsSync(join(scratch.path, 'no'))).toBe(false);
  });

  it.each([
    ['a model file that is not there', ['--model', join(scratch.path, 'none.mjs')], 'none.mjs'],
    ['more shards than images', ['--shards', '500', '--set', 'data.limit=2'], 'shards'],
  ])('%s, and no run directory is left', async (_, args, found) => {
    const runs = join(scratch.path, 'none');
    const { code, stderr } = await refusal(...smallJob, ...args, '--runs', runs, '--http', '127.0.0.1:0');
    expect(code).toBe(2);
    expect(stderr).toContain(found);
    expect(existsSync(runs)).toBe(false);
  });

  it('a port in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const run = fresh();
    const { code, stderr } = await refusal(...smallJob, '--listen', `127.0.0.1:${port}`, '--run', run);
    await new Promise((resolve) => server.close(resolve));
    expect(code).toBe(1);
    expect(stderr).toContain(`127.0.0.1:${port}`);
    expect(stderr).toContain('--listen');
  });

  it('a run directory that cannot be made, and one that holds a run', async () => {
    const file = join(scratch.path, 'a-file');
    writeFileSync(file, '');
    const below = await refusal(...smallJob, '--run', join(file, 'run'));
    expect(below.code).toBe(2);
    expect(below.stderr).toContain('--run');
    const used = fresh();
    mkdirSync(used);
    writeFileSync(join(used, 'job.json'), '{}');
    const { code, stderr } = await refusal(...smallJob, '--run', used);
    expect(code).toBe(1);
    expect(stderr).toContain('got a run that cannot be read');
    expect(readFileSync(join(used, 'job.json'), 'utf8')).toBe('{}');
    expect(existsSync(join(used, 'steps.csv'))).toBe(false);
  });

  it('listening beyond loopback without TLS and token', async () => {
    const { code, stderr } = await refusal(...smallJob, '--listen', '0.0.0.0:0', '--run', fresh());
    expect(code).toBe(2);
    expect(stderr).toContain('--listen 0.0.0.0:0: expected TLS and a token beyond loopback, got neither');
  });
});

describe('a worker', () => {
  it('of another protocol version is refused with both versions', async () => {
    const coordinator = new Command(['coordinator', ...smallJob, '--listen', '127.0.0.1:0', '--run', fresh()]);
    try {
      const [, address] = await coordinator.until(/listening on (127\.0\.0\.1:\d+)/);
      const client = new Cluster(address!, credentials.createInsecure());
      const stream = client.Join(callMetadata());
      const hello = {
        workerId: 'old',
        host: 'h',
        pid: 1,
        runtime: 'r',
        protocolVersion: PROTOCOL_VERSION + 1,
        beatKey: new Uint8Array(16),
      };
      stream.write({ hello });
      const error = await new Promise<Error>((resolve) => {
        stream.on('data', () => undefined);
        stream.on('error', (e) => resolve(fromServiceError(e as never, 'join')));
      });
      client.close();
      expect(error).toMatchObject({ code: 'PROTOCOL_VERSION', retryable: false });
      expect(error.message).toContain(`expected protocol version ${PROTOCOL_VERSION}, got ${PROTOCOL_VERSION + 1}`);
    } finally {
      await coordinator.kill();
    }
  });

  it('gives up after --wait when nobody answers, and names the address', async () => {
    const server = new Server();
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (e, bound) =>
        e ? reject(e) : resolve(bound),
      );
    });
    server.forceShutdown();
    const ended = await lockstep(['worker', '--coordinator', `127.0.0.1:${port}`, '--wait', '1']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain(`127.0.0.1:${port}`);
    expect(ended.stderr).toMatch(/retrying in/);
  });
});
