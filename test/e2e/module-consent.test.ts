import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { main, scratchDirectory } from './lockstep.js';

/** A downloaded folder: a job, its module, and packages next to them. Any of them that runs leaves a file. */
const scratch = scratchDirectory();
afterAll(scratch.remove);
const [job, module, ran] = ['job.yaml', 'net.mjs', 'ran'].map((name) => join(scratch.path, name)) as [
  string,
  string,
  string,
];
const leaveFile = `require('node:fs').writeFileSync(${JSON.stringify(ran)}, '')`;
const rest = 'name: own\nshards: 2\nbatchPerShard: 10\nepochs: 1\ndata: { dataset: synthetic, limit: 20 }\n';
writeFileSync(job, `model: ./net.mjs\n${rest}`);
// Ends the command with exit code 2, which is quicker than training.
writeFileSync(module, "import 'helper'; export default () => { throw new Error('it was run'); };");
installPackage('helper', `${leaveFile}; module.exports = 1;`);
installPackage('@tensorflow/tfjs-node', `${leaveFile};`);
installPackage('@tensorflow/tfjs-node-gpu', `${leaveFile};`);

function installPackage(name: string, code: string): void {
  const folder = join(scratch.path, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version: '1.0.0', main: 'main.js' }));
  writeFileSync(join(folder, 'main.js'), code);
}

/** Runs a command in the downloaded folder, with `input` on its standard input. */
function inFolder(args: readonly string[], input = ''): Promise<{ code: unknown; output: string; hasRun: boolean }> {
  return new Promise((resolve) => {
    const options = { cwd: scratch.path, timeout: 60_000, env: { ...process.env, NODE_PATH: '' } };
    const child = execFile(process.execPath, [main, ...args], options, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      resolve({ code, output: stdout + stderr, hasRun: existsSync(ran) });
    });
    child.stdin!.end(input);
  });
}

beforeEach(() => rmSync(ran, { force: true }));

describe("a downloaded job's code", () => {
  it.each([
    ['a job file names', ['train', 'job.yaml', '--run', 'run'], ''],
    ['a job file for a coordinator names', ['coordinator', 'job.yaml', '--listen', '127.0.0.1:0', '--run', 'run'], ''],
    ['a job on standard input names', ['train', '-', '--run', 'run'], `model: ./net.mjs\n${rest}`],
  ])('does not run without consent: a module that %s', async (_, args, input) => {
    const { code, output, hasRun } = await inFolder(args, input);
    expect({ code, hasRun }).toEqual({ code: 2, hasRun: false });
    expect(output).toContain(`model ${module}: expected consent to run this module, got none`);
    expect(output).toContain('review it, then pass --allow-module');
    expect(existsSync(join(scratch.path, 'run'))).toBe(false);
  });

  it.each([
    ['--allow-module', ['train', 'job.yaml', '--allow-module']],
    ['--model', ['train', 'job.yaml', '--model', './net.mjs']],
    ['--set model', ['train', 'job.yaml', '--set', 'model=./net.mjs']],
  ])('runs, with packages next to it, after %s', async (_, args) => {
    const { code, output, hasRun } = await inFolder([...args, '--run', 'run']);
    expect({ code, hasRun }).toEqual({ code: 2, hasRun: true });
    expect(output).toContain('it was run');
  });

  it('does not run as a binding of TensorFlow in the current directory', async () => {
    const engine = ['--set', 'engine.name=tensorflow', '--model', 'mlp', '--workers', '1'];
    const { code, output, hasRun } = await inFolder(['train', 'job.yaml', ...engine, '--run', 'tensorflow']);
    expect(hasRun).toBe(false);
    expect(code).not.toBe(0);
    expect(output).toContain("got neither in Lockstep's packages nor in NODE_PATH");
  });
});
