import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RunDirectoryGuard } from '../../../cli/runs/run-directory-guard.js';
import { temporaryDirectory } from '../../data/small-cifar10.js';

/** Creates the files of a command before its run begins. */
function make(run: string): void {
  mkdirSync(join(run, 'checkpoints'), { recursive: true });
  writeFileSync(join(run, 'log.jsonl'), '{}\n');
}

describe('a run that has not begun', () => {
  it('leaves no directory, nor those above that were made for it', async () => {
    const directory = await temporaryDirectory();
    const run = join(directory, 'my', 'runs', 'a');
    const place = await RunDirectoryGuard.inspect(run);
    make(run);
    await place.cleanUp();
    expect(readdirSync(directory)).toEqual([]);
  });

  it('leaves other runs, and files that were there', async () => {
    const directory = await temporaryDirectory();
    const [run, other] = [join(directory, 'runs', 'a'), join(directory, 'runs', 'b')];
    const [place, given] = [await RunDirectoryGuard.inspect(run), join(directory, 'given')];
    make(run);
    make(other);
    await place.cleanUp();
    expect(readdirSync(join(directory, 'runs'))).toEqual(['b']);
    mkdirSync(given);
    writeFileSync(join(given, 'job.yaml'), 'name: mine\n');
    const second = await RunDirectoryGuard.inspect(given);
    make(given);
    await second.cleanUp();
    expect(readdirSync(given)).toEqual(['job.yaml']);
  });

  it('leaves what others have put there meanwhile', async () => {
    const directory = await temporaryDirectory();
    const run = join(directory, 'a');
    const place = await RunDirectoryGuard.inspect(run);
    make(run);
    writeFileSync(join(run, 'notes.txt'), 'mine');
    await place.cleanUp();
    expect(readdirSync(run)).toEqual(['notes.txt']);
  });

  it('is refused in the place of a file, and among files that it would overwrite; both stay', async () => {
    const directory = await temporaryDirectory();
    const [file, project] = [join(directory, 'precious.txt'), join(directory, 'project')];
    writeFileSync(file, 'mine');
    mkdirSync(join(project, 'model'), { recursive: true });
    await expect(RunDirectoryGuard.inspect(file)).rejects.toThrow(
      /expected a directory, got a file at or above it; pass another --run DIR$/,
    );
    await expect(RunDirectoryGuard.inspect(project)).rejects.toThrow(
      'got a directory without job.json that contains model, which a run would overwrite',
    );
    expect(readdirSync(directory)).toEqual(['precious.txt', 'project']);
  });

  it.each(['log.jsonl', 'checkpoints', 'report', '.lock'])('is refused where its %s is a link', async (name) => {
    const directory = await temporaryDirectory();
    const run = join(directory, 'a');
    mkdirSync(run);
    writeFileSync(join(run, 'job.json'), '{}');
    symlinkSync(join(directory, 'elsewhere'), join(run, name));
    await expect(RunDirectoryGuard.inspect(run)).rejects.toThrow(
      `got symbolic links: ${name}; replace each link by its target`,
    );
  });

  it('may be reached through a link, and have links of others in it', async () => {
    const directory = await temporaryDirectory();
    const run = join(directory, 'a');
    make(run);
    symlinkSync(run, join(directory, 'link'));
    symlinkSync('/dev/null', join(run, 'mine'));
    await expect(RunDirectoryGuard.inspect(join(directory, 'link'))).resolves.toBeInstanceOf(RunDirectoryGuard);
  });

  it.each(['job.json', '.lock'])('is kept as it is if there is a %s by now', async (name) => {
    const run = join(await temporaryDirectory(), 'a');
    const place = await RunDirectoryGuard.inspect(run);
    make(run);
    writeFileSync(join(run, name), '{}');
    await place.cleanUp();
    expect(existsSync(join(run, 'log.jsonl'))).toBe(true);
  });
});
