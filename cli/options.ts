import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { type Command, Option } from 'commander';
import { JobError } from '../job/errors.js';
import { isModelFile, isModelName, modelNames } from '../job/models.js';
import { presets } from '../job/presets.js';
import { resolveSpec } from '../job/resolve.js';
import { parseSpecText, type SpecFile } from '../job/spec-text.js';
import type { JobSpec } from '../job/spec.js';

/** Flags for the fields of a spec that people change most; each is short for a `--set`. */
const specFlags: readonly { readonly flag: string; readonly path: string; readonly help: string }[] = [
  { flag: '--name <name>', path: 'name', help: 'name of the job, and of its run directory' },
  { flag: '--model <name>', path: 'model', help: `${modelNames.join(', ')}; or a file: topology JSON, or a module` },
  { flag: '--epochs <n>', path: 'epochs', help: 'passes over the training set' },
  { flag: '--seed <n>', path: 'seed', help: 'decides initial weights, sample order and augmentation' },
  { flag: '--shards <n>', path: 'shards', help: 'fixed parts of the training set; each contributes to every step' },
  { flag: '--batch-per-shard <n>', path: 'batchPerShard', help: 'samples of each shard per step' },
  { flag: '--global-batch <n>', path: 'globalBatch', help: 'samples of all shards together per step' },
  { flag: '--optimizer <type>', path: 'optimizer.type', help: 'sgd, adam or adamw' },
  { flag: '--learning-rate <rate>', path: 'optimizer.learningRate', help: 'peak learning rate' },
  { flag: '--schedule <type>', path: 'schedule.type', help: 'constant, step or cosine' },
  {
    flag: '--device <device>',
    path: 'engine.device',
    help: 'auto (cuda where it works, else cpu), cpu, cuda, cuda:1, webgpu',
  },
];

export interface SpecOptions {
  preset?: string;
  set: string[];
  [flag: string]: string | string[] | number | boolean | undefined;
}

/** Adds the options that make a spec. */
export function addSpecOptions(command: Command, defaultPreset?: string): Command {
  const names = Object.keys(presets);
  command.addOption(new Option('--preset <name>', `start from a preset: ${names.join(', ')}`).default(defaultPreset));
  for (const { flag, help } of specFlags) command.option(flag, help);
  return command.option('--set <path=value>', 'any other field of the spec; may be repeated', collect, []);
}

/**
 * The spec from preset, file, flags and `--set`, in this order.
 * @param file - path of a spec, or what one says.
 * @throws JobError BAD_SPEC that lists all problems.
 */
export async function specFrom(file: string | SpecFile | undefined, options: SpecOptions): Promise<JobSpec> {
  const flags = specFlags.flatMap(({ flag, path }) => {
    const value = options[attributeName(flag)];
    return value === undefined ? [] : [`${path}=${String(value)}`];
  });
  const specFile = typeof file === 'string' ? besides(file, parseSpecText(await readSpec(file), file)) : file;
  const preset = options.preset ?? (specFile ? undefined : 'cluster-cnn3');
  return resolveSpec({ preset, file: specFile, sets: [...flags, ...options.set] });
}

/** The spec in `file`, a model's file in it being named as seen from there. */
function besides(file: string, spec: SpecFile): SpecFile {
  const value = spec.value as { readonly model?: unknown; readonly topology?: unknown } | null;
  const model = value?.model;
  if (typeof model !== 'string' || value?.topology !== undefined) return spec;
  if (isModelName(model) || !isModelFile(model) || isAbsolute(model)) return spec;
  return { ...spec, value: { ...value, model: join(dirname(file), model) } };
}

async function readSpec(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new JobError('BAD_SPEC', `job spec: expected a readable file, got ${(cause as Error).message}`, { cause });
  }
}

/** The presets as a block of help text. */
export function presetHelp(): string {
  const width = Math.max(...Object.keys(presets).map((name) => name.length));
  const lines = Object.entries(presets).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `\nPresets:\n${lines.join('\n')}\n`;
}

function attributeName(flag: string): string {
  return new Option(flag).attributeName();
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
