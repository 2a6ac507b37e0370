import { createReadStream } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { JobError } from '../../job/errors.js';
import { oneOf } from '../../job/expected.js';
import { modelNames } from '../../job/models.js';
import { presets } from '../../job/presets.js';
import { resolveSpec } from '../../job/resolve.js';
import { maxSpecBytes, tooLarge } from '../../job/spec-limits.js';
import { parseSpecText, type SpecFile } from '../../job/spec-text.js';
import { type JobSpec, optimizerTypes } from '../../job/spec.js';
import { isNumber } from './numbers.js';
import { relativeTo } from './spec-paths.js';

interface FieldFlag {
  readonly flag: string;
  readonly path: readonly string[];
  readonly help: string;
  /** Reads the flag's value. Text is taken literally. */
  readonly read: (text: string) => unknown;
}

/** Flags for the fields of a spec that people change most. */
const specFlags: readonly FieldFlag[] = [
  textFlag('--name <name>', 'name', 'name of the job, and of its run directory'),
  textFlag('--model <name>', 'model', `${modelNames.join(', ')}; or a file: topology JSON, or a module`),
  numberFlag('--epochs <n>', 'epochs', 'passes over the training set'),
  numberFlag('--seed <n>', 'seed', 'decides initial weights, sample order and augmentation'),
  numberFlag('--shards <n>', 'shards', 'fixed parts of the training set; each contributes to every step'),
  numberFlag('--batch-per-shard <n>', 'batchPerShard', 'samples of each shard per step'),
  numberFlag('--global-batch <n>', 'globalBatch', 'samples of all shards together per step'),
  textFlag('--optimizer <type>', 'optimizer.type', oneOf(optimizerTypes)),
  numberFlag('--learning-rate <rate>', 'optimizer.learningRate', 'peak learning rate'),
  textFlag('--schedule <type>', 'schedule.type', 'constant, cosine, or step (with --set schedule.everyEpochs=N)'),
  textFlag('--device <device>', 'engine.device', 'auto (cuda where it works, else cpu), cpu, cuda, cuda:1, webgpu'),
];

function textFlag(flag: string, path: string, help: string): FieldFlag {
  return { flag, path: path.split('.'), help, read: (text) => text };
}

/** A flag whose value is a number. Other text is passed on, and the spec's check reports it. */
function numberFlag(flag: string, path: string, help: string): FieldFlag {
  return { flag, path: path.split('.'), help, read: (text) => (isNumber(text) ? Number(text) : text) };
}

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
  return command.option('--set <path=value>', 'any field of the spec, its value as YAML; may be repeated', collect, []);
}

/**
 * The spec from preset, file, flags and `--set`, in this order.
 * @param file - path of a spec, or what one says.
 * @throws JobError BAD_SPEC that lists all problems.
 */
export async function specFrom(file: string | SpecFile | undefined, options: SpecOptions): Promise<JobSpec> {
  const flags = specFlags.flatMap(({ flag, path, read }) => {
    const value = options[attributeName(flag)];
    return typeof value === 'string' ? [{ flag: flag.replace(/ .*/, ''), path, value: read(value) }] : [];
  });
  const specFile =
    typeof file === 'string'
      ? relativeTo(dirname(file), parseSpecText(await readSpec(file), file === '-' ? 'standard input' : file))
      : file;
  const preset = options.preset ?? (specFile ? undefined : 'cluster-cnn3');
  return resolveSpec({ preset, file: specFile, flags, sets: options.set });
}

/** True if a flag or `--set` names the model instead of the file. */
export function namesModel({ model, set }: SpecOptions): boolean {
  return typeof model === 'string' || set.some((text) => text.startsWith('model='));
}

/** Text of a spec file, which may be a pipe; `-` is standard input. */
async function readSpec(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > maxSpecBytes) throw tooLarge(file);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (cause) {
    if (cause instanceof JobError) throw cause;
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
