import { Command } from 'commander';
import { scoreRows } from '../../coordinator/stepping/evaluation.js';
import { formatScore } from '../../run/report/format.js';
import { formatConfusion } from '../../run/report/terminal.js';
import type { Dataset } from '../../data/dataset.js';
import { datasetDigest } from '../../data/chunks.js';
import type { InstructionSet } from '../../engine/engine.js';
import { JobError } from '../../job/errors.js';
import { datasetFor } from '../dataset.js';
import { isaOption } from '../options/isa-option.js';
import { checkpointOption, modelHelp, type OpenedModel, openModel } from '../model/model-source.js';

interface EvaluateOptions {
  checkpoint?: string;
  data?: string;
  json?: boolean;
  isa?: InstructionSet;
}

/** `lockstep evaluate`: prints loss, accuracy and confusion matrix on the test set. */
export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description('evaluate a run or a model file on the test set')
    .argument('<model>', modelHelp)
    .addOption(checkpointOption())
    .option('--data <path>', "dataset location, as for train (default: from the run's spec)")
    .addOption(isaOption())
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(async (path: string, { checkpoint, data, json, isa }: EvaluateOptions) => {
      const model = await openModel(path, { checkpoint, isa });
      const result = await evaluate(model, await datasetFor({ data: model.data }, { data }));
      console.log(json === true ? JSON.stringify(result) : describe(result, model));
    });
}

type Evaluation = Awaited<ReturnType<typeof evaluate>>;

/** @throws JobError BAD_DATA if image shape or classes differ from the model's. */
async function evaluate({ card, epoch, classify }: OpenedModel, dataset: Dataset) {
  checkFit(card, dataset);
  const { test, title } = dataset;
  const rows = await classify(test.count, test.images);
  const classes = card.classes.length;
  const score = scoreRows(rows, test.labels, classes, { step: card.step, epoch: epoch ?? 0 });
  const { step, loss, correct, total, confusion } = score;
  return {
    step,
    ...(epoch !== undefined && { epoch }),
    dataset: title,
    /** True if the job's own evaluation used the same images. */
    sameData: datasetDigest(dataset) === card.dataset.digest,
    ...{ loss, correct, total, accuracy: correct / total, classes: card.classes, confusion },
  };
}

function checkFit(card: OpenedModel['card'], { imageShape, classes, title }: Dataset): void {
  const shape = (sides: readonly number[]) => sides.join(' × ');
  const describe = (names: readonly string[], sides: readonly number[]) =>
    `${shape(sides)} images of ${names.join(', ')}`;
  const [wanted, found] = [describe(card.classes, card.imageShape), describe(classes, imageShape)];
  if (wanted === found) return;
  throw new JobError(
    'BAD_DATA',
    `evaluate: expected ${wanted}, got ${found} in ${title}; pass the model's data with --data`,
  );
}

function describe(result: Evaluation, { description, card }: OpenedModel): string {
  const { dataset, sameData, loss, confusion, classes } = result;
  return [
    `${description} on ${dataset}`,
    ...(sameData ? [] : [`NOT the model's dataset, ${card.dataset.title} ${card.dataset.digest.slice(0, 12)}`]),
    `Test set: Average loss: ${loss.toFixed(4)}, Accuracy: ${formatScore(result)}`,
    '',
    formatConfusion(confusion, classes),
  ].join('\n');
}

const examples = `
Examples:
  lockstep evaluate runs/a --checkpoint best
  lockstep evaluate model.onnx --data flowers/
`;
