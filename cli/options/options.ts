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
  /** Converts the flag's text to the field's value. */
  readonly read: (text: string) => unknown;
}

/** Flags for the most used fields of a spec. */
const specFlags: readonly FieldFlag[] = [
  textFlag('--name <name>', 'name', 'job name, also used for its run directory'),
  textFlag('--model <name>', 'model', `${modelNames.join(', ')}; or a file with topology JSON or a module`),
  numberFlag('--epochs <n>', 'epochs', 'passes over the training set'),
  numberFlag('--seed <n>', 'seed', 'seed of initial weights, sample order and augmentation'),
  numberFlag('--shards <n>', 'shards', 'fixed parts of the training set; every shard contributes to every step'),
  numberFlag('--batch-per-shard <n>', 'batchPerShard', 'samples per shard and step'),
  numberFlag('--global-batch <n>', 'globalBatch', 'samples per step over all shards'),
  textFlag('--optimizer <type>', 'optimizer.type', oneOf(optimizerTypes)),
  numberFlag('--learning-rate <rate>', 'optimizer.learningRate', 'peak learning rate'),
  textFlag('--schedule <type>', 'schedule.type', 'constant, cosine, or step (with --set schedule.everyEpochs=N)'),
  textFlag('--engine <name>', 'engine.name', 'native (CPUs), onnx (GPUs), tensorflow'),
  textFlag('--device <device>', 'engine.device', 'with --engine onnx: auto, cuda, cuda:1, webgpu'),
];

function textFlag(flag: string, path: string, help: string): FieldFlag {
  return { flag, path: path.split('.'), help, read: (text) => text };
}

/** A flag with a numeric value. Other text is passed on for spec validation to report. */
function numberFlag(flag: string, path: string, help: string): FieldFlag {
  return { flag, path: path.split('.'), help, read: (text) => (isNumber(text) ? Number(text) : text) };
}

export interface SpecOptions {
  preset?: string;
  set: string[];
  [flag: string]: string | string[] | number | boolean | undefined;
}

/** Adds the options for a job's spec. */
export function addSpecOptions(command: Command, defaultPreset?: string): Command {
  const names = Object.keys(presets);
  command.addOption(new Option('--preset <name>', `start from a preset: ${names.join(', ')}`).default(defaultPreset));
  for (const { flag, help } of specFlags) command.option(flag, help);
  return command.option('--set <path=value>', 'set a field of the spec, value in YAML; repeatable', collect, []);
}

/**
 * Builds the spec from preset, file, flags and `--set`; later ones take precedence.
 * @param file - path of a spec, or a parsed one.
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

/** True if `--model` or `--set` names the model. */
export function namesModel({ model, set }: SpecOptions): boolean {
  return typeof model === 'string' || set.some((text) => text.startsWith('model='));
}

/** Reads a spec file, which may be a pipe; `-` is standard input. */
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
    throw new JobError('BAD_SPEC', `read job spec: expected a readable file, got ${(cause as Error).message}`, {
      cause,
    });
  }
}

/** Help text that lists the presets. */
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
