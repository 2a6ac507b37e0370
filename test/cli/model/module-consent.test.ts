import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decideConsent, requireConsent } from '../../../cli/model/module-consent.js';
import { chooseRun } from '../../../cli/runs/run-choice.js';
import { smallManifest } from '../../coordinator/manifest.js';
import { within } from '../../proto/wire.js';

const module = { model: 'jobs/net.mjs', topology: undefined };
const request = { spec: module, namedIn: 'jobs/job.yaml', allow: false, isTerminal: false };

describe('a named module', () => {
  it.each([
    ['on the command line is run', { namedIn: undefined }, 'run'],
    ['in a file is refused where nobody can be asked', {}, 'refuse'],
    ['in a file is asked about on a terminal', { isTerminal: true }, 'ask'],
    ['in a file is run with --allow-module', { allow: true }, 'run'],
    ['in a file with its topology is not needed', { spec: { ...module, topology: {} } }, 'run'],
    ['in a file as .cjs is refused', { spec: { ...module, model: 'net.cjs' } }, 'refuse'],
    ['in a file as .js is refused', { spec: { ...module, model: '/srv/net.js' } }, 'refuse'],
    ['in a file as .ts is refused', { spec: { ...module, model: 'net.ts' } }, 'refuse'],
  ])('%s', (_, change, decision) => {
    expect(decideConsent({ ...request, ...change })).toMatchObject({ decision });
  });

  it.each(['cnn3', 'net.json'])('not: %s in a file needs no consent', (model) => {
    expect(decideConsent({ ...request, spec: { ...module, model } })).toEqual({ decision: 'run' });
  });

  it.each([
    ['cnn3', 'job.yaml', 'got a job without one'],
    ['net.mjs', undefined, 'got a module named on the command line'],
  ])('not by a file: %s with --allow-module is rejected', (model, namedIn, found) => {
    const consent = decideConsent({ ...request, spec: { ...module, model }, namedIn, allow: true });
    expect(consent).toMatchObject({ decision: 'refuse', reason: expect.stringContaining(found) as string });
  });
});

it('a module that a run names is run by --resume only with consent', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-consent-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const manifest = smallManifest(1);
  const job = { ...manifest, spec: { ...manifest.spec, model: './net.mjs' } };
  writeFileSync(join(directory, 'job.json'), JSON.stringify(job));
  const options = { resume: directory, runs: 'runs', set: [] };
  await expect(chooseRun(undefined, options)).rejects.toThrow(
    `got none; ${join(directory, 'job.json')} names it, and a module can do everything you can`,
  );
  expect((await chooseRun(undefined, { ...options, allowModule: true })).spec.model).toBe('./net.mjs');
});

/** Answers the question about a module with this `content`. */
async function answer(reply: string, content = 'export default () => {};', name = 'net.mjs') {
  const directory = mkdtempSync(join(tmpdir(), 'lockstep-consent-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, name);
  writeFileSync(file, content);
  const [input, output] = [new PassThrough(), new PassThrough()].map((stream) =>
    Object.assign(stream, { isTTY: true }),
  );
  input!.end(reply);
  const asked = requireConsent(
    { spec: { model: file, topology: undefined }, namedIn: 'job.yaml', allow: false },
    { input: input!, output: output! },
  );
  const outcome = await within(
    asked.then(
      () => 'run',
      (error: Error) => error.message,
    ),
    'an answer',
  );
  output!.end();
  return { outcome, shown: await text(output!), file };
}

describe('the question about a module', () => {
  it('shows its path and SHA-256, and runs it after yes', async () => {
    const content = 'export default () => 1;';
    const { outcome, shown, file } = await answer('y\n', content);
    expect(outcome).toBe('run');
    expect(shown).toContain(`job.yaml names a module that will be run to build the model:\n  ${file}\n`);
    expect(shown).toContain(`SHA-256 ${createHash('sha256').update(content).digest('hex')}\n`);
    expect(shown).toMatch(/Run it\? \[y\/N\] $/);
  });

  it.each(['\n', 'n\n', 'yep\n', ''])('takes %j as no', async (reply) => {
    const { outcome } = await answer(reply);
    expect(outcome).toMatch(/^model .*net\.mjs: expected consent to run this module, got no; job\.yaml names it/);
  });

  it('shows control characters of the path as text', async () => {
    const { shown } = await answer('n\n', '', 'a\u001b[2Kb\u202e.mjs');
    expect(shown).toContain('a\\u{1b}[2Kb\\u{202e}.mjs');
    expect(shown).not.toContain('\u001b');
  });
});
