import { describe, expect, it } from 'vitest';
import type { ModelTopology, ProgramInput, TrainResult } from '../../../engine/engine.js';
import { maskInput } from '../../../engine/feeds.js';
import { describeModel, initialWeights, loadBlankModel, loadTrainingModel } from '../../../engine/model/model.js';
import { evaluate } from '../../../engine/native/reference/evaluate.js';
import { type TracedProgram, traceEvaluation, traceTraining } from '../../../engine/trace/program.js';
import { drawMasks } from '../../../job/dropout.js';
import { families, modelOf } from '../layers/cases.js';
import { evaluateOnCpu, normalise, trainOnCpu } from '../layers/oracle.js';
import { inputsOf, onCpu, type Outcome, type ParityCase, relativeError, trace } from '../parity/compare.js';
import { composedCases } from '../parity/composed.js';
import { binaryCases, piecewiseCases, unaryCases } from '../parity/elementwise.js';
import { convCases, poolCases } from '../parity/linear.js';
import { reduceCases, shapeCases } from '../parity/shape.js';

/** The reference's numbers are right: near TF.js's. That engines have the reference's bits is tested elsewhere. */

const functions = {
  'elementwise functions': unaryCases,
  'functions without a gradient': piecewiseCases,
  'functions of two tensors': binaryCases,
  reductions: reduceCases,
  convolutions: convCases,
  pools: poolCases,
  'shape operations': shapeCases,
  compositions: composedCases,
};

for (const [family, cases] of Object.entries(functions)) {
  describe(`the reference's value and gradient equal those of TF.js's cpu backend: ${family}`, () => {
    it.each(cases)('$name', async (test) => {
      const inputs = inputsOf(test);
      const expected = await onCpu(test, inputs);
      const actual = onReference(test, inputs);
      expect(relativeError(actual.value, expected.value)).toBeLessThan(2e-6);
      actual.gradients.forEach((gradient, i) => {
        expect(relativeError(gradient, expected.gradients[i]!)).toBeLessThan(5e-6);
      });
    });
  });
}

function onReference(test: ParityCase, inputs: readonly Float32Array[]): Outcome {
  const params = inputs.flatMap((values) => [...values]);
  const outputs = evaluate(trace(test), { params });
  const [gradients, [value]] = [outputs.get('gradient')!, outputs.get('value')!];
  return { value: value as Float32Array, gradients: gradients as readonly Float32Array[] };
}

const imageShape = [8, 8, 2] as const;
const batch = 5;
const images = Uint8Array.from({ length: batch * 128 }, (_, i) => (i * 37 + ((i * i) % 91)) % 256);
const labels = Int32Array.of(0, 1, 2, 1, 0);

for (const [family, cases] of Object.entries(families)) {
  describe(`the reference's training and evaluation equal those of TF.js: ${family}`, () => {
    it.each(Object.entries(cases))('%s', async (_, body) => {
      await compareWithOracle(modelOf(body, imageShape).toJSON(null, false) as unknown as ModelTopology);
    });
  });
}

async function compareWithOracle(topology: ModelTopology): Promise<void> {
  const spec = { topology, imageShape, classes: 3, normalise, batch };
  const program = traceTraining(await loadTrainingModel(topology), { ...spec, mode: 'train' });
  const input = await inputFor(program, topology);
  const job = { topology, imageShape, input, masks: program.masks! };
  const [expected, actual] = [await trainOnCpu(job), resultOf(program, input)];
  expect(actual.lossSum / expected.lossSum).toBeCloseTo(1, 5);
  expect(actual.correct).toBe(expected.correct);
  expect(relativeError(actual.statistics, expected.statistics)).toBeLessThan(5e-6);
  const floor = 1e-2 * Math.sqrt(expected.gradient.reduce((sum, g) => sum + g * g, 0));
  for (const { name, offset, size } of (await describeModel(topology)).parameters) {
    const [ours, theirs] = [actual, expected].map(({ gradient }) => gradient.subarray(offset, offset + size));
    expect(relativeError(ours!, theirs!, floor), name).toBeLessThan(1e-5);
  }
  const evaluation = traceEvaluation(await loadBlankModel(topology), { ...spec, mode: 'evaluate' });
  const rows = flat(evaluate(evaluation, arraysOf(evaluation, input)).get('log_probabilities')!);
  expect(relativeError(rows, await evaluateOnCpu(job))).toBeLessThan(5e-6);
}

/** Initial weights, moved slightly, as biases and shifts begin at 0; running statistics other than 0 and 1. */
async function inputFor(program: TracedProgram, topology: ModelTopology): Promise<ProgramInput> {
  const { params, state } = await initialWeights(topology, 3);
  return {
    params: params.map((w, i) => w + 0.1 * Math.sin(i + 1)),
    state: state.map((s, i) => s + 0.3 * Math.abs(Math.sin(i + 1))),
    images,
    labels,
    masks: drawMasks(program.masks!, { seed: 1, step: 2, shard: 3 }),
  };
}

function arraysOf({ masks = [] }: TracedProgram, input: ProgramInput) {
  const drawn = masks.map(({ name }, i) => [maskInput(name), input.masks![i]!]);
  return { ...input, ...Object.fromEntries(drawn) } as Record<string, ArrayLike<number>>;
}

function resultOf(program: TracedProgram, input: ProgramInput): TrainResult {
  const outputs = evaluate(program, arraysOf(program, input));
  return {
    gradient: flat(outputs.get('gradient')!),
    statistics: flat(outputs.get('statistics') ?? []),
    lossSum: outputs.get('loss')![0]![0]!,
    correct: outputs.get('correct')![0]![0]!,
  };
}

function flat(pieces: readonly ArrayLike<number>[]): Float32Array {
  return Float32Array.from(pieces.flatMap((piece) => Array.from(piece)));
}
