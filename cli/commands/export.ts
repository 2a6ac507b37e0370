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
      const files = await placesOf(await modelFiles(trained, format), format, out);
      if (force !== true) await checkFree(files.map(({ place }) => place));
      for (const { place, content } of files) await write(place, content);
      console.log(`${description}: ${files.map(({ place }) => place).join(', ')}`);
    });
}

/** Where each file goes: into `out` where that is a directory or is to be one, else `out` is the file. */
async function placesOf(files: readonly ModelFile[], format: ModelFormat, out: string) {
  const isThere = (await stat(out).catch(() => undefined))?.isDirectory() === true;
  const isDirectory = format === 'tfjs' || isThere || /[/\\]$/.test(out);
  return files.map(({ name, content }) => ({ place: resolve(isDirectory ? join(out, name) : out), content }));
}

async function checkFree(places: readonly string[]): Promise<void> {
  for (const place of places) {
    if ((await stat(place).catch(() => undefined)) === undefined) continue;
    throw new JobError(
      'BAD_OPTION',
      `export: expected a new file, got ${place}, which is there; pass --force or another --out`,
    );
  }
}

async function write(place: string, content: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(place), { recursive: true });
    await writeWhole(place, content);
  } catch (cause) {
    const { message } = ((cause as Error).cause ?? cause) as Error;
    throw new JobError('BAD_OPTION', `export: expected to write ${place}, got ${message}; pass another --out`, {
      cause,
    });
  }
}
