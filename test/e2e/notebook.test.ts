import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { scratchDirectory } from './lockstep.js';
import { python, runPython, needsPython } from './python.js';

const scratch = scratchDirectory();
afterAll(scratch.remove);

interface Cell {
  readonly cell_type: 'code' | 'markdown';
  readonly source: string | string[];
  readonly outputs?: readonly {
    readonly output_type: string;
    readonly text?: string | string[];
    readonly data?: Readonly<Record<string, string>>;
  }[];
}

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const notebook = join(examples, 'cifar10.ipynb');
/** 21 steps of the synthetic dataset. */
const quick = { LOCKSTEP_SYNTHETIC: '1', LOCKSTEP_LIMIT: '205', LOCKSTEP_EPOCHS: '1' };
const convert = (args: readonly string[], env: NodeJS.ProcessEnv, cwd: string) =>
  runPython(['-m', 'nbconvert', notebook, '--output-dir', scratch.path, ...args], { cwd, env, limitMs: 110_000 });

const cellsOf = (path: string) => (JSON.parse(readFileSync(path, 'utf8')) as { cells: Cell[] }).cells;
const joined = (text: string | string[] = '') => (Array.isArray(text) ? text.join('') : text);
const printed = (cells: readonly Cell[]) =>
  cells.flatMap(({ outputs = [] }) => outputs.map(({ text }) => joined(text))).join('');
const pictures = (cells: readonly Cell[]) =>
  cells.flatMap(({ outputs = [] }) => outputs.flatMap(({ data }) => data?.['image/png'] ?? []));

/** A busy machine may deliver a picture late; one that never comes is an error. */
const outputs = ['iopub_timeout=60', 'raise_on_iopub_timeout=True'].map((option) => `--ExecutePreprocessor.${option}`);
const execute = ['--to', 'notebook', '--execute', ...outputs];

/** A kernel for the Deno of that Python, installed for this test alone. */
function kernelFolder(): string {
  const folder = join(scratch.path, 'jupyter', 'kernels', 'deno');
  mkdirSync(folder, { recursive: true });
  const argv = [join(dirname(python!), 'deno'), 'jupyter', '--kernel', '--conn', '{connection_file}'];
  writeFileSync(join(folder, 'kernel.json'), JSON.stringify({ argv, display_name: 'Deno', language: 'typescript' }));
  return join(scratch.path, 'jupyter');
}

describe.skipIf(python === undefined)(`examples/cifar10.ipynb ${needsPython}`, () => {
  it('runs from top to bottom in Jupyter, with its pictures inline', async () => {
    const run = join(scratch.path, 'by-notebook');
    const env = { ...quick, LOCKSTEP_RUN: run, JUPYTER_PATH: kernelFolder() };
    await convert([...execute, '--output', 'executed.ipynb'], env, examples);
    const cells = cellsOf(join(scratch.path, 'executed.ipynb'));
    const { finalDigest, test } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as {
      finalDigest: string;
      test: { correct: number };
    };
    expect(printed(cells)).toContain('1025 training and 205 test images, 32 x 32 x 3');
    expect(printed(cells)).toContain('Total params: 137654');
    expect(printed(cells)).toMatch(new RegExp(`Test set: Average loss: \\d\\.\\d{4}, Accuracy: ${test.correct}/205`));
    expect(printed(cells.slice(-1)).trim()).toBe(finalDigest);
    expect(pictures(cells)).toHaveLength(5);
    for (const png of pictures(cells)) expect(Buffer.from(png, 'base64').toString('latin1', 1, 4)).toBe('PNG');
  });

  it('is a script after nbconvert --to script, which Node.js runs', async () => {
    await convert(['--to', 'script', '--output', 'script'], {}, scratch.path);
    mkdirSync(join(scratch.path, 'node_modules'));
    symlinkSync(dirname(examples), join(scratch.path, 'node_modules', 'lockstep'));
    writeFileSync(join(scratch.path, 'package.json'), '{ "type": "module" }');
    const run = join(scratch.path, 'by-script');
    const options = { env: { ...process.env, ...quick, LOCKSTEP_RUN: run }, cwd: scratch.path, timeout: 100_000 };
    const { stdout } = await promisify(execFile)(process.execPath, ['script.js'], options);
    const { finalDigest } = JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as { finalDigest: string };
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(finalDigest);
    expect(stdout).toContain('predicted as');
  });
});

it('examples/cifar10.ipynb shows figures of the synthetic dataset only, and states that', () => {
  const cells = cellsOf(notebook);
  expect(joined(cells[0]!.source)).toMatch(/outputs below are from the synthetic dataset, not from CIFAR-10/);
  expect(printed(cells)).toContain('synthetic dataset (not CIFAR-10)');
  expect(printed(cells)).not.toMatch(/airplane/);
  expect(pictures(cells)).toHaveLength(5);
  const errors = cells.flatMap(({ outputs = [] }) => outputs.filter((output) => output.output_type === 'error'));
  expect(errors).toEqual([]);
});
