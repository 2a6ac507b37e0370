import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlReply, StatusReply } from '../../proto/messages.js';
import { childrenOf, type Command, freePort, isAlive, lockstep, scratchDirectory, smallJob } from './lockstep.js';
import { commandStarter } from './starter.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);
const start = commandStarter();

/** Long enough to steer: 12 epochs of 21 steps. */
const job = [...smallJob, '--epochs', '12', '--set', 'evaluation.everyEpochs=0', '--set', 'checkpoint.everySteps=0'];
const digestsOf = (run: string) => readFileSync(join(run, 'digests.jsonl'), 'utf8');

/** Requests the coordinator's status at `address`. */
function controlOf(address: string, ...common: string[]) {
  const ask = (...args: string[]) => lockstep([...args, '--coordinator', address, ...common], {}, 30_000);
  const json = async <Reply>(...args: string[]) => {
    const { stdout, stderr } = await ask(...args, '--json');
    if (stdout === '') throw new Error(`expected JSON of ${args.join(' ')}, got ${stderr}`);
    return JSON.parse(stdout) as Reply;
  };
  const status = () => json<StatusReply>('status');
  /** Waits until the status satisfies the condition. */
  const until = async (isSo: (status: StatusReply) => boolean, what: string) => {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const now = await status();
      if (isSo(now)) return now;
      if (performance.now() > deadline) throw new Error(`expected ${what}, got ${JSON.stringify(now)}`);
    }
  };
  return { ask, status, until, control: (...args: string[]) => json<ControlReply>(...args) };
}

const ready = ({ workers }: StatusReply) => workers.filter(({ state }) => state !== 'compiling').length;

async function addressOf(train: Command): Promise<string> {
  return (await train.until(/Watch from another terminal: .* watch --coordinator (\S+)/))[1]!;
}

const quiet = join(scratch.path, 'runs', 'quiet');
beforeAll(async () => {
  expect((await lockstep(['train', ...job, '--workers', '2', '--run', quiet])).code).toBe(0);
}, 240_000);

describe('a controlled run', () => {
  it('is paused, resumed, scaled up, down and to nothing, and ends with the digests of an undisturbed one', async () => {
    const run = join(scratch.path, 'runs', 'steered');
    const train = start('train', ...job, '--workers', '1', '--run', run);
    const { status, until, control } = controlOf(await addressOf(train));
    await until(({ step }) => step > 0, 'a step');
    const watch = start('watch', '--coordinator', await addressOf(train));

    expect(await control('pause')).toMatchObject({ state: 'paused', message: /^paused after step \d+$/ });
    const paused = await status();
    expect(await control('pause')).toMatchObject({ state: 'paused', step: paused.step });
    expect((await control('scale', '7')).message).toBe(
      'starting 6 workers; 7 workers in total, 2 of them idle: the job has 5 shards',
    );
    await until((now) => ready(now) === 7, 'seven workers');
    const [victim] = await childrenOf(train.process.pid!);
    process.kill(victim!, 'SIGKILL');
    await until((now) => ready(now) === 6, 'one worker less, lost while paused');
    const { message } = await control('checkpoint');
    expect(message).toMatch(/^checkpoint .*step-\d{8}\.safetensors$/);
    expect((await control('checkpoint')).message).toBe(message);
    expect(await status()).toMatchObject({ state: 'paused', step: paused.step, checkpointStep: paused.step });
    expect(await control('resume')).toMatchObject({ state: 'training' });
    expect((await control('resume')).message).toBe('was not paused');

    await control('pause');
    const before = await childrenOf(train.process.pid!);
    expect((await control('scale', '0')).message).toContain('the run waits until scale starts more');
    await until(({ workers }) => workers.length === 0, 'no workers');
    await control('resume');
    const waiting = await until(({ state }) => state === 'waiting', 'waiting');
    expect(waiting.reason).toContain('waiting for workers: 0 of 1 ready');
    expect((await control('pause')).message).toBe(`paused after step ${waiting.step}`);
    await control('resume');
    await control('scale', '2');
    const ended = await train.ended;
    expect(ended.code).toBe(0);
    expect(before.filter(isAlive)).toEqual([]);
    expect(digestsOf(run)).toBe(digestsOf(quiet));
    const watched = await watch.ended;
    expect(watched.code).toBe(0);
    expect(watched.stdout).toContain('paused (on request, after step');
    expect(watched.stdout).toMatch(/finished \(all steps are done\): epoch 12\/12, step 252\/252/);
  }, 240_000);

  it("ends cleanly on Ctrl-C while it is paused, and watch's exit code shows it", async () => {
    const run = join(scratch.path, 'runs', 'stopped');
    const train = start('train', ...job, '--workers', '1', '--run', run);
    const { until, control } = controlOf(await addressOf(train));
    await until(({ step }) => step > 0, 'a step');
    const { step } = await control('pause');
    const watch = start('watch', '--json', '--coordinator', await addressOf(train));
    await watch.until(/"state":"paused"/);
    train.process.kill('SIGINT');
    expect((await train.ended).code).toBe(130);
    expect(JSON.parse(readFileSync(join(run, 'run.json'), 'utf8'))).toMatchObject({ outcome: 'stopped', steps: step });
    const { code, stdout } = await watch.ended;
    expect(code).toBe(130);
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({
      state: 'stopped',
      step,
      checkpointStep: step,
    });
  });
});

describe('with a token', () => {
  it("control needs it too; a wrong one is rejected, and workers of others can't be scaled", async () => {
    const [right, wrong] = ['right.txt', 'wrong.txt'].map((name) => join(scratch.path, name));
    writeFileSync(right!, 'a-secret-of-sixteen-or-more\n');
    writeFileSync(wrong!, 'another-secret-of-sixteen-or-more\n');
    const address = `127.0.0.1:${await freePort()}`;
    const run = join(scratch.path, 'token');
    const coordinator = start('coordinator', ...job, '--listen', address, '--run', run, '--token-file', right!);
    await coordinator.until(/listening/);
    for (const command of ['status', 'pause', 'watch']) {
      const { code, stderr } = await controlOf(address, '--token-file', wrong!).ask(command);
      expect([code, stderr]).toEqual([
        1,
        "lockstep: call: expected the cluster's token, got none or another; pass --token-file\n",
      ]);
    }
    const { control, ask } = controlOf(address, '--token-file', right!);
    expect((await ask('scale', '3')).stderr).toContain('scale: expected a coordinator that starts its own workers');
    expect((await control('stop')).message).toContain('stopping after the current step');
    expect((await coordinator.ended).code).toBe(130);
  });
});

describe('an impossible request', () => {
  it.each([
    ['no coordinator is named', ['status'], 2, 'expected --coordinator HOST:PORT, or --nats URL with --job NAME, got'],
    ['a job is named without NATS', ['status', '--job', 'x'], 2, '--job: expected --nats URL with it, got none'],
    ['the address is none', ['pause', '--coordinator', 'x'], 2, 'expected HOST:PORT'],
    [
      'nobody listens there',
      ['stop', '--coordinator', '127.0.0.1:1'],
      1,
      'stop: expected a coordinator at 127.0.0.1:1',
    ],
    ['the number of workers is none', ['scale', '2000', '--coordinator', '127.0.0.1:1'], 2, 'expected 0 to 1024'],
    [
      'nobody is there to be watched',
      ['watch', '--wait', '0.1', '--coordinator', '127.0.0.1:1'],
      1,
      'watch 127.0.0.1:1',
    ],
  ])('is reported when %s', async (_, args, exitCode, message) => {
    const { code, stderr } = await lockstep(args, {}, 30_000);
    expect(stderr).toContain(message);
    expect(code).toBe(exitCode);
  });
});

describe('the runs of a folder', () => {
  const folder = join(scratch.path, 'runs');

  it('are listed with how they ended, damaged ones too', async () => {
    mkdirSync(join(folder, 'broken'));
    writeFileSync(join(folder, 'broken', 'job.json'), '{');
    const { stdout, code } = await lockstep(['runs', '--runs', folder]);
    expect(code).toBe(0);
    const rows = stdout.split('\n');
    expect(rows[0]).toMatch(/^run +state +model +data +epochs +accuracy +digest +duration +when \(UTC\)$/);
    const final = (JSON.parse(readFileSync(join(quiet, 'run.json'), 'utf8')) as { finalDigest: string }).finalDigest;
    const row = (name: string) => rows.find((line) => line.startsWith(`${name} `))!;
    expect(row('quiet')).toMatch(
      /finished +cnn3 +synthetic dataset \(not CIFAR-10\), first 205 images of each batch +12\/12 +\d+\.\d % /,
    );
    expect(row('quiet')).toContain(final.slice(0, 12));
    expect(row('stopped')).toMatch(/stopped +cnn3/);
    expect(row('broken')).toMatch(/damaged +– /);
    expect(stdout).toMatch(/broken: job\.json: read job manifest: expected a manifest/);
    const listed = JSON.parse((await lockstep(['runs', '--runs', folder, '--json'])).stdout) as { name: string }[];
    expect(listed.map(({ name }) => name)).toEqual(['broken', 'stopped', 'steered', 'quiet']);
  });

  it('are drawn side by side in one page that refers to nothing outside', async () => {
    const out = join(scratch.path, 'compare.html');
    const names = ['quiet', 'steered', 'stopped'];
    const { stdout, code } = await lockstep(['compare', ...names.map((name) => join(folder, name)), '--out', out]);
    expect([code, stdout]).toEqual([0, `Comparison of 3 runs: ${out}\n`]);
    const page = readFileSync(out, 'utf8');
    expect(page).toContain('equal, epochs 1 to 12');
    expect(page).toContain('None: all runs have the same spec.');
    expect(page.match(/<svg/g)).toHaveLength(4);
    expect(page.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:|src=|<link|@import/);
    const refused = await lockstep(['compare', quiet, join(folder, 'broken')]);
    expect(refused.stderr).toContain('compare ');
    expect(refused.code).toBe(1);
  });
});
