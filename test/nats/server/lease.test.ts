import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readIndex } from '../../../nats/object-chunks.js';
import { openStores } from '../../../nats/stores.js';
import { parseSteps } from '../../../run/record-format.js';
import { smallJob } from '../../e2e/lockstep.js';
import { eventually, jetstream, missing, openRuns, readEntry, readEvents } from './nats-server.js';
import { interrupt, job, scratch, startCommand, startRun, startServer, steps } from './rig.js';

const digestsOf = (directory: string) => readFileSync(join(directory, 'digests.jsonl'), 'utf8');
const listen = ['--listen', '127.0.0.1:0', '--log-level', 'warn'];

describe.skipIf(missing !== undefined)('two coordinators of one job (needs nats-server)', () => {
  it('refuses the second one while the first is running, and names the first', async () => {
    const server = await startServer();
    const flags = ['--nats', server.url(), '--nats-job', 'taken'];
    const run = await startRun(scratch(), ...flags);
    await steps(run, 3);
    const owner = (await readEntry(jetstream(await server.connect()), 'taken'))!.owner;
    const other = startCommand('coordinator', ...smallJob, ...job, ...flags, ...listen, '--run', scratch());
    const { code, stderr } = await other.ended;
    expect(code).toBe(1);
    expect(stderr).toContain(`NATS: expected job taken to be free, got one in use: ${owner} (`);
    expect(stderr).toContain('wait for that run, or choose another --nats-job NAME');
    await run.finish();
  });

  it('resumes elsewhere from the object store to the same digest; the silent one stops when it wakes', async () => {
    const quiet = scratch();
    const digest = await (await startRun(quiet)).finish();
    const server = await startServer();
    const connection = await server.connect();
    const js = jetstream(connection);
    const flags = ['--nats', server.url(), '--nats-job', 'moved'];
    const silent = await startRun(scratch(), ...flags);
    await steps(silent, 33);
    const stores = await openStores(connection);
    const { runId } = (await readEntry(js, 'moved'))!;
    const names = async () =>
      (await readIndex(stores, { job: 'moved', runId }, undefined))?.files.map(({ name }) => name) ?? [];
    const hasCheckpoint = (names: string[]) => names.includes('checkpoints/step-00000030.safetensors');
    await eventually(names, hasCheckpoint, 'the checkpoint of step 30 in the store');
    silent.command.process.kill('SIGSTOP');

    const elsewhere = scratch();
    const next = await startRun(elsewhere, ...flags);
    expect(next.command.stdout).toMatch(/NATS: job moved: .* owned it; waiting up to 10 s for a sign of life/);
    expect(next.command.stdout).toContain(`NATS: resuming run ${runId} of job moved`);
    expect(next.command.stdout).toContain(
      'resumed at step 30 of 84 (start 2 of this run; newest intact checkpoint: 30)',
    );
    await steps(next, 5);
    silent.command.process.kill('SIGCONT');
    const { code, stderr } = await silent.command.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('NATS: expected to keep job moved, but another coordinator resumed it');

    expect(await next.finish()).toBe(digest);
    expect(digestsOf(elsewhere)).toBe(digestsOf(quiet));
    const steppedAt = parseSteps(readFileSync(join(elsewhere, 'steps.csv'), 'utf8')).map(({ step }) => step);
    expect(steppedAt).toEqual(Array.from({ length: 84 }, (_, step) => step));
    expect(await readEntry(js, 'moved')).toMatchObject({ runId, term: 2, state: 'finished', digest });
    const epochs = (await readEvents(js)).filter(({ type }) => type === 'epoch').map(({ data }) => data['epoch']);
    expect(epochs).toEqual([1, 2, 3, 4]);
    expect(await names()).toEqual(expect.arrayContaining(['job.json', 'model/model.onnx', 'report/index.html']));
  });

  it('starts over under the name of a finished job, and keeps the files of the run before', async () => {
    const server = await startServer();
    const js = jetstream(await server.connect());
    const flags = ['--nats', server.url(), '--nats-job', 'twice', '--set', 'checkpoint.everySteps=0'];
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const run = await startRun(scratch(), ...flags, '--epochs', '1');
      ids.push((await readEntry(js, 'twice'))!.runId);
      await run.finish();
    }
    expect(new Set(ids).size).toBe(3);
    const kept = new Set((await (await openRuns(js)).list()).map(({ name }) => name.split('/')[1]));
    expect(kept).toEqual(new Set(ids.slice(1)));
  });

  it('refuses to resume with another job under the same name, and lists the differences', async () => {
    const server = await startServer();
    const flags = ['--nats', server.url(), '--nats-job', 'other'];
    const run = await startRun(scratch(), ...flags);
    await steps(run, 3);
    await interrupt(run);
    const other = startCommand(
      'coordinator',
      ...smallJob,
      ...job,
      '--seed',
      '9',
      ...flags,
      ...listen,
      '--run',
      scratch(),
    );
    const { code, stderr } = await other.ended;
    expect(code).toBe(1);
    expect(stderr).toContain('NATS: expected job other to match the stored run, got a different job');
    expect(stderr).toContain('seed: 1 there, 9 now');
  });

  it('skips a damaged checkpoint of the store, and resumes from the one before', async () => {
    const server = await startServer();
    const connection = await server.connect();
    const flags = ['--nats', server.url(), '--nats-job', 'damaged'];
    const run = await startRun(scratch(), ...flags);
    await steps(run, 24);
    await interrupt(run);
    const stores = await openStores(connection);
    const { runId } = (await readEntry(jetstream(connection), 'damaged'))!;
    const newest = (await readIndex(stores, { job: 'damaged', runId }, undefined))!.files.find(
      ({ name }) => name === 'checkpoints/step-00000024.safetensors',
    )!;
    const [part] = newest.parts;
    await stores.runs.putBlob({ name: `damaged/${runId}/parts/${part}` }, new Uint8Array(1024 * 1024).fill(7));
    const directory = scratch();
    const next = await startRun(directory, ...flags);
    expect(next.command.stdout).toMatch(
      /NATS: skipped checkpoints\/step-00000024.safetensors of run .*: .* a damaged chunk/,
    );
    expect(next.command.stdout).toContain('resumed at step 21 of 84');
    await next.finish();
  });
});
