import { mkdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { type ModelFile, type ModelFormat, modelFiles, modelFormats } from '../../run/model/trained-model.js';
import { writeWhole } from '../../run/write-file.js';
import { JobError } from '../../job/errors.js';
import { checkpointOption, modelHelp, openModel } from '../model/model-source.js';

interface ExportOptions {
  checkpoint?: string;
  format: ModelFormat;
  out: string;
  force?: boolean;
}

/** `lockstep export`: a model file of a run's state, or one model file from another. */
export function exportCommand(): Command {
  return new Command('export')
    .description('write a trained model for TF.js, ONNX Runtime, or as safetensors')
    .argument('<model>', modelHelp)
    .addOption(checkpointOption())
    .addOption(
      new Option('--format <format>', 'tfjs: model.json and weights.bin').choices(modelFormats).makeOptionMandatory(),
    )
    .requiredOption('--out <path>', 'file, or directory for tfjs and for files with their usual names')
    .option('--force', 'overwrite what is there')
    .action(async (path: string, { checkpoint, format, out, force }: ExportOptions) => {
      const { trained, description } = await openModel(path, checkpoint);
      if (trained === undefined) {
        const message = `export: expected a run, model.json or .safetensors, got ${path}, which has no weights to convert`;
        throw new JobError('BAD_OPTION', message);
      }
      const files = await targetsOf(await modelFiles(trained, format), format, out);
      if (force !== true) await checkFree(files.map(({ target }) => target));
      for (const { target, content } of files) await write(target, content);
      console.log(`${description}: ${files.map(({ target }) => target).join(', ')}`);
    });
}

/** Where each file goes: into `out` where that is a directory or is to be one, else `out` is the file. */
async function targetsOf(files: readonly ModelFile[], format: ModelFormat, out: string) {
  const isThere = (await stat(out).catch(() => undefined))?.isDirectory() === true;
  const isDirectory = format === 'tfjs' || isThere || /[/\\]$/.test(out);
  return files.map(({ name, content }) => ({ target: resolve(isDirectory ? join(out, name) : out), content }));
}

async function checkFree(targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    if ((await stat(target).catch(() => undefined)) === undefined) continue;
    throw new JobError(
      'BAD_OPTION',
      `export: expected a new file, got ${target}, which is there; pass --force or another --out`,
    );
  }
}

async function write(target: string, content: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(target), { recursive: true });
    await writeWhole(target, content);
  } catch (cause) {
    const { message } = ((cause as Error).cause ?? cause) as Error;
    throw new JobError('BAD_OPTION', `export: expected to write ${target}, got ${message}; pass another --out`, {
      cause,
    });
  }
}
