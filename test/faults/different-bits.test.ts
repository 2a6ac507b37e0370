import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { Command, scratchDirectory, smallJob } from '../e2e/lockstep.js';
import { ScriptedRun } from './scripted-run.js';

/** A run with the scripted worker's engine class, and a real worker, which computes different bits. */

const scratch = scratchDirectory();
afterAll(() => scratch.remove());

async function scripted(name: string, ...flags: string[]): Promise<ScriptedRun> {
  const run = await ScriptedRun.start(join(scratch.path, name), ...flags);
  onTestFinished(() => run.close());
  return run;
}

function command(...args: string[]): Command {
  const started = new Command(args);
  onTestFinished(() => started.kill());
  return started;
}

const record = (directory: string) =>
  JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as {
    engine: { fingerprint: string };
    reproducible: boolean;
  };
const bound = 'ab'.repeat(32);

describe('a worker with different bits', () => {
  it('is refused with both sides, and ends with exit code 1', async () => {
    const run = await scripted('strict');
    expect(record(run.directory)).toMatchObject({ engine: { fingerprint: bound }, reproducible: true });
    const { code, stderr } = await command('worker', '--coordinator', run.address).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /join: expected engine raw \(.*fingerprint abababababab\), which the run is bound to, got native \(arithmetic 1, fingerprint [0-9a-f]{12}\) from worker \S+; the same arithmetic must give the same bits/,
    );
    await run.finish();
    expect(record(run.directory)).toMatchObject({ engine: { fingerprint: bound }, reproducible: true });
  });

  it('is rejected by a resuming coordinator too, though it is the only worker', async () => {
    const run = await scripted('restarted');
    await run.nextStep();
    await run.command.kill();
    const flags = [...smallJob, '--listen', '127.0.0.1:0', '--run', run.directory, '--log-level', 'warn'];
    const [, address] = await command('coordinator', ...flags).until(/listening on (127\.0\.0\.1:\d+)/);
    const { code, stderr } = await command('worker', '--coordinator', address!).ended;
    expect(code).toBe(1);
    expect(stderr).toContain('fingerprint abababababab), which the run is bound to');
  });

  it('is admitted with numerics: mixed, which marks the run, its report and its last lines', async () => {
    const run = await scripted('mixed', '--set', 'numerics=mixed');
    expect(record(run.directory).reproducible).toBe(true);
    const worker = command('worker', '--coordinator', run.address);
    const deadline = performance.now() + 60_000;
    while (record(run.directory).reproducible && performance.now() < deadline && worker.process.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(record(run.directory)).toMatchObject({ engine: { fingerprint: bound }, reproducible: false });
    await run.finish();
    expect((await worker.ended).code).toBe(0);
    expect(record(run.directory).reproducible).toBe(false);
    expect(run.command.stdout).toContain('NOT REPRODUCIBLE: workers of several engine classes computed this run');
    expect(run.read('report/index.html')).toContain('NOT REPRODUCIBLE');
  });
});
