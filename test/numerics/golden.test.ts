import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../engine/create.js';
import type { Engine, ModelLayout, TrainResult } from '../../engine/engine.js';
import { describeModel } from '../../engine/model/model.js';
import { decodeSafetensors } from '../../run/safetensors.js';
import { builtinTopology } from '../../job/models.js';
import { enginesUnderTest, type EngineUnderTest, titleOf } from '../engine/engines.js';
import { batch, classes, goldenInput, hashes, type ImageKind, imageShape, normalise } from './golden/inputs.js';

/**
 * Values from PyTorch in float64, made by `golden/make_golden.py`, on inputs that are far from every kink.
 *
 * The error of a gradient is ‖ĝ − g‖ / ‖g‖ of a whole parameter. The mean square of 32 scalar products with vectors of
 * random signs estimates ‖ĝ − g‖²; its root is right within 12 %. A single product is often twice as large.
 */

/** Measured: 2.6e-6 at most with the native engine, 2.1e-6 with the portable lowering, 3.5e-6 with TensorFlow. */
const tolerance = 5e-6;
/** Every n-th gradient of a parameter is stored, at most this many. */
const stored = { cnn3: 4096, cnn4: 4096, resnet20: 512 };
/** One sign vector per bit of the hash. */
const projections = 32;
/** resnet20 has no pooling windows that tie on flat images. */
const inputs = [
  ...(['cnn3', 'cnn4'] as const).flatMap((model) => (['textured', 'flat'] as const).map((kind) => ({ model, kind }))),
  { model: 'resnet20', kind: 'textured' } as const,
];

/** A software device would take minutes; the contract has a smaller model for it. */
const subjects = enginesUnderTest.filter(({ slow }) => !slow);

function readGolden(model: string, kind: ImageKind) {
  const { tensors, metadata } = decodeSafetensors(
    readFileSync(new URL(`golden/${model}-${kind}.safetensors`, import.meta.url)),
  );
  const values = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
  return {
    get: (name: string) => values.get(name)!,
    seed: Number(metadata['seed']),
    loss: Number(metadata['loss']),
    correct: Number(metadata['correct']),
  };
}

/** ‖a − b‖ / scale, by default ‖b‖. */
function distance(a: ArrayLike<number>, b: ArrayLike<number>, scale?: number): number {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2;
    norm += b[i]! ** 2;
  }
  return Math.sqrt(difference) / (scale ?? Math.sqrt(norm));
}

/** Scalar products of a gradient with sign vectors: bit j of an element's hash is its sign in vector j. */
function projected(gradient: Float32Array, hashed: readonly number[]): Float64Array {
  const sums = new Float64Array(projections);
  gradient.forEach((g, at) => {
    for (let bit = 0; bit < projections; bit++) sums[bit]! += (hashed[at]! >>> bit) & 1 ? -g : g;
  });
  return sums;
}

for (const subject of subjects) {
  describe.skipIf(subject.skip !== undefined)(`${titleOf(subject)}: gradients of PyTorch in float64`, () => {
    describe.each(inputs)('of $model on $kind images', (input) => equalGolden(subject, input));
  });
}

function equalGolden({ options }: EngineUnderTest, { model, kind }: (typeof inputs)[number]): void {
  const golden = readGolden(model, kind);
  const topology = builtinTopology(model, imageShape, classes);
  const spec = { topology, imageShape, classes, normalise, batch };
  let engine: Engine;
  let layout: ModelLayout;
  let result: TrainResult;

  beforeAll(async () => {
    engine = await createEngine(options);
    layout = await describeModel(topology);
    const program = await engine.compileTrain({ ...spec, mode: 'train' });
    result = await program.run(goldenInput(layout, kind, golden.seed));
    await program.dispose();
  });

  it('in loss and correct count', () => {
    expect(result.lossSum / golden.loss).toBeCloseTo(1, 6);
    expect(result.correct).toBe(golden.correct);
  });

  it('in batch statistics', () => {
    expect(result.statistics.length).toBe(layout.stateCount);
    expect(distance(result.statistics, golden.get('statistics'))).toBeLessThan(tolerance);
  });

  it('in the gradient of every parameter', () => {
    const norms = golden.get('norms');
    const floor = 1e-2 * Math.max(...norms);
    layout.parameters.forEach(({ name, offset, size }, i) => {
      const gradient = result.gradient.subarray(offset, offset + size);
      const stride = Math.ceil(size / stored[model]);
      const sample = gradient.filter((_, at) => at % stride === 0);
      // A bias before batch norm has no influence: its gradient is rounding noise on both sides.
      const scale = Math.max(norms[i]!, floor);
      expect(distance(sample, golden.get(`gradient/${name}`), scale), name).toBeLessThan(tolerance);
      const expected = golden.get('projections').subarray(i * projections, (i + 1) * projections);
      const error = distance(projected(gradient, hashes(size, 300 + i)), expected, scale) / Math.sqrt(projections);
      expect(error, name).toBeLessThan(tolerance);
    });
  });

  it('in evaluation rows', async () => {
    const program = await engine.compileEvaluate({ ...spec, mode: 'evaluate' });
    const { logProbabilities } = await program.run(goldenInput(layout, kind, golden.seed));
    await program.dispose();
    expect(distance(logProbabilities, golden.get('rows'))).toBeLessThan(tolerance);
  });
}
