import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine, ModelLayout, TrainResult } from '../../engine/engine.js';
import { describeModel } from '../../engine/model.js';
import { createOnnxEngine } from '../../engine/onnx/engine.js';
import { createTensorflowEngine } from '../../engine/tensorflow/engine.js';
import { decodeSafetensors } from '../../engine/safetensors.js';
import { builtinTopology } from '../../job/models.js';
import { tensorflowDirectory } from '../programs.js';
import { batch, classes, goldenInput, hashes, type ImageKind, imageShape, normalise } from './golden/inputs.js';

/** Values from PyTorch in float64, made by `golden/make_golden.py`. */

/** Largest relative error that is accepted. Found: 9e-7 at most with the portable lowering, 3.4e-6 with direct convolutions. */
const tolerances = { portable: 2e-6, auto: 5e-6, eager: 1e-5 };
/** In twenty layers rounding adds up; PyTorch's own f32 is off by 3.3e-6. Found: 2.3e-6 portable, 6.3e-6 direct. */
const deepTolerances = { portable: 1e-5, auto: 1e-5, eager: 1e-5 };
/**
 * TensorFlow's kernels add up thousands of pixels plainly, and TF.js's gradient of a batch norm goes through more of
 * them: found 1.8e-5 on flat images (first filter), 7.6e-6 on textured ones.
 */
const eagerFlatTolerance = 3e-5;
/** Every n-th gradient of a parameter is stored, at most this many. */
const stored = { cnn3: 4096, cnn4: 4096, resnet20: 512 };
/** resnet20 has no pooling windows that tie on flat images. */
const inputs = [
  ...(['cnn3', 'cnn4'] as const).flatMap((model) => (['textured', 'flat'] as const).map((kind) => ({ model, kind }))),
  { model: 'resnet20', kind: 'textured' } as const,
];

/** `eager` is the tensorflow engine's. */
const lowerings = [
  ...(['portable', 'auto'] as const),
  ...(tensorflowDirectory === undefined ? [] : ['eager' as const]),
];
const cases = lowerings.flatMap((lowering) => inputs.map((input) => ({ lowering, ...input })));

function readGolden(model: string, kind: ImageKind) {
  const { tensors, metadata } = decodeSafetensors(
    readFileSync(new URL(`golden/${model}-${kind}.safetensors`, import.meta.url)),
  );
  const values = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
  return {
    get: (name: string) => values.get(name)!,
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

describe.each(cases)('$model on $kind images, lowering $lowering, equals PyTorch in float64', (test) => {
  const { lowering, model, kind } = test;
  const usual = (model === 'resnet20' ? deepTolerances : tolerances)[lowering];
  const tolerance = lowering === 'eager' && kind === 'flat' ? eagerFlatTolerance : usual;
  const golden = readGolden(model, kind);
  const topology = builtinTopology(model, imageShape, classes);
  const spec = { topology, imageShape, classes, normalise, batch };
  let engine: Engine;
  let layout: ModelLayout;
  let result: TrainResult;

  beforeAll(async () => {
    engine =
      lowering === 'eager'
        ? await createTensorflowEngine({ threads: 1, directory: tensorflowDirectory! })
        : await createOnnxEngine({ threads: 1, lowering });
    layout = await describeModel(topology);
    const program = await engine.compileTrain({ ...spec, mode: 'train' });
    result = await program.run(goldenInput(layout, kind));
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
      const signs = hashes(size, 300 + i);
      const projection = gradient.reduce((sum, g, at) => sum + (signs[at]! & 1 ? -g : g), 0);
      expect(Math.abs(projection - golden.get('projections')[i]!) / scale, name).toBeLessThan(tolerance);
    });
  });

  it('in evaluation rows', async () => {
    const program = await engine.compileEvaluate({ ...spec, mode: 'evaluate' });
    const { logProbabilities } = await program.run(goldenInput(layout, kind));
    await program.dispose();
    expect(distance(logProbabilities, golden.get('rows'))).toBeLessThan(tolerance);
  });
});
