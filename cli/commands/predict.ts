import { Command, Option } from 'commander';
import { formatShare } from '../../run/report/format.js';
import { badImages, decodeImage, readImageFile } from '../../data/decode-image.js';
import type { InstructionSet } from '../../engine/engine.js';
import { JobError } from '../../job/errors.js';
import { type ImageFormat, imageFits, imageFormatOf } from '../../job/image-format.js';
import type { ModelCard } from '../../job/model-card.js';
import { checkpointOption, modelHelp, openModel } from '../model/model-source.js';
import { isaOption } from '../options/isa-option.js';
import { positive } from '../options/numbers.js';

interface PredictOptions {
  checkpoint?: string;
  top: number;
  fit?: ImageFormat['fit'];
  json?: boolean;
  isa?: InstructionSet;
}

/** Prediction for one image. */
export interface Prediction {
  readonly file: string;
  /** All classes with their probabilities, most probable first. */
  readonly classes: readonly { readonly name: string; readonly probability: number }[];
}

/** `lockstep predict`: classifies image files. */
export function predictCommand(): Command {
  return new Command('predict')
    .description('classify image files (PNG, JPEG)')
    .argument('<model>', modelHelp)
    .argument('<image...>', 'PNG or JPEG files of any size')
    .addOption(checkpointOption())
    .addOption(new Option('--top <n>', 'classes to print per image').argParser(positive).default(3))
    .addOption(
      new Option('--fit <how>', "how to fit images to the model's input size (default: as in training)").choices(
        imageFits,
      ),
    )
    .addOption(isaOption())
    .option('--json', 'print JSON with all classes')
    .action(async (path: string, files: string[], { checkpoint, top, fit, json, isa }: PredictOptions) => {
      const { card, data, classify } = await openModel(path, { checkpoint, isa });
      const images = await readImages(files, { ...formatOf(card), fit: fit ?? imageFormatOf(data).fit });
      const predictions = toPredictions(await classify(files.length, images), files, card.classes);
      console.log(json === true ? JSON.stringify(predictions) : describePredictions(predictions, top));
    });
}

function formatOf({ imageShape: [height, width, channels] }: ModelCard): Omit<ImageFormat, 'fit'> {
  if (channels === 1 || channels === 3) return { height, width, channels };
  const message = `predict: expected a model for images of 1 or 3 channels, got one for ${channels}`;
  throw new JobError('BAD_OPTION', message);
}

/** @throws JobError BAD_DATA that lists all invalid files. */
async function readImages(files: readonly string[], format: ImageFormat): Promise<Uint8Array> {
  const images: Uint8Array[] = [];
  const problems: JobError[] = [];
  for (const file of files) {
    try {
      images.push(await readImage(file, format));
    } catch (error) {
      if (!(error instanceof JobError)) throw error;
      problems.push(error);
    }
  }
  if (problems.length > 0) throw badImages(problems);
  return Uint8Array.from(Buffer.concat(images));
}

async function readImage(file: string, format: ImageFormat): Promise<Uint8Array> {
  const bytes = await readImageFile(file).catch((cause: Error) => {
    if (cause instanceof JobError) throw cause;
    throw new JobError('BAD_OPTION', `predict ${file}: expected a readable image, got ${cause.message}`, { cause });
  });
  return decodeImage(bytes, file, format);
}

function toPredictions(rows: Float32Array, files: readonly string[], names: readonly string[]): Prediction[] {
  return files.map((file, i) => {
    const classes = names.map((name, k) => ({ name, probability: Math.exp(rows[i * names.length + k]!) }));
    return { file, classes: classes.sort((a, b) => b.probability - a.probability) };
  });
}

/** Formats one line per image with its most probable classes. */
export function describePredictions(predictions: readonly Prediction[], top: number): string {
  const shown = predictions.map(({ file, classes }) => [
    file,
    ...classes.slice(0, top).map(({ name, probability }) => `${name} ${formatShare(probability)}`),
  ]);
  const widths = shown[0]?.map((_, column) => Math.max(...shown.map((row) => row[column]!.length))) ?? [];
  return shown
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
