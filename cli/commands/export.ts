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

/** `lockstep export`: writes a model file from a run or another model file. */
export function exportCommand(): Command {
  return new Command('export')
    .description('export a trained model for TF.js or ONNX Runtime, or as safetensors')
    .argument('<model>', modelHelp)
    .addOption(checkpointOption())
    .addOption(
      new Option('--format <format>', 'tfjs: model.json and weights.bin').choices(modelFormats).makeOptionMandatory(),
    )
    .requiredOption('--out <path>', 'file to write; for tfjs, or to use default names, a directory')
    .option('--force', 'overwrite existing files')
    .action(async (path: string, { checkpoint, format, out, force }: ExportOptions) => {
      const { trained, description } = await openModel(path, { checkpoint });
      const files = await targetsOf(await modelFiles(trained, format), format, out);
      if (force !== true) await checkFree(files.map(({ target }) => target));
      for (const { target, content } of files) await write(target, content);
      console.log(`${description}: ${files.map(({ target }) => target).join(', ')}`);
    });
}

/** Paths of the files: in `out` if it is a directory or a new one is wanted, else `out` itself. */
async function targetsOf(files: readonly ModelFile[], format: ModelFormat, out: string) {
  const exists = (await stat(out).catch(() => undefined))?.isDirectory() === true;
  const isDirectory = format === 'tfjs' || exists || /[/\\]$/.test(out);
  return files.map(({ name, content }) => ({ target: resolve(isDirectory ? join(out, name) : out), content }));
}

async function checkFree(targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    if ((await stat(target).catch(() => undefined)) === undefined) continue;
    throw new JobError(
      'BAD_OPTION',
      `export: expected a new file, got existing ${target}; pass --force or another --out`,
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
