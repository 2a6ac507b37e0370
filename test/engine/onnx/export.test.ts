import type { Tensor2D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ModelLayout } from '../../../engine/engine.js';
import { exportOnnx, exportTfjs } from '../../../engine/onnx/export.js';
import { describeModel } from '../../../engine/model/model.js';
import { cpu } from '../../../engine/onnx/device.js';
import { createOnnxEngine } from '../../../engine/onnx/engine.js';
import { OnnxSession } from '../../../engine/onnx/session.js';
import { layers, tf } from '../../../engine/model/tfjs/tf.js';
import { builtinTopology } from '../../../job/models.js';
import { batch, classes, goldenInput, imageShape, normalise } from '../../numerics/golden/inputs.js';

describe.each(['cnn3', 'cnn4'])('%s, exported', (name) => {
  const topology = builtinTopology(name, imageShape, classes);
  let layout: ModelLayout;
  let input: ReturnType<typeof goldenInput>;
  let expected: Float32Array;
  beforeAll(async () => {
    layout = await describeModel(topology);
    input = goldenInput(layout, 'textured');
    const engine = await createOnnxEngine({ device: 'cpu' });
    const program = await engine.compileEvaluate({ topology, imageShape, classes, normalise, batch, mode: 'evaluate' });
    expected = (await program.run(input)).logProbabilities;
    await program.dispose();
  });

  it("to ONNX gives the evaluation program's answers, for a batch of any size", async () => {
    const file = await exportOnnx({ topology, imageShape, classes, normalise, ...input });
    const session = await OnnxSession.create(file, { device: cpu });
    const rows = async (count: number) => {
      const images = { type: 'uint8', data: input.images.slice(0, count * 3072), shape: [count, 32, 32, 3] } as const;
      return (await session.run({ images }))['log_probabilities']!;
    };
    for (const count of [batch, 2]) {
      const { dims, data } = await rows(count);
      expect(dims).toEqual([count, 10]);
      Array.from(data as Float32Array).forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 5));
    }
    await session.dispose();
  });

  it("to TF.js gives the evaluation program's answers", async () => {
    const { modelJson, weights } = exportTfjs(topology, layout, input.params, input.state);
    const { modelTopology, weightsManifest } = JSON.parse(JSON.stringify(modelJson)) as Manifest;
    const weightSpecs = weightsManifest[0]!.weights;
    await tf.setBackend('cpu');
    const model = await layers.loadLayersModel(
      tf.io.fromMemory({ modelTopology, weightSpecs, weightData: weights.buffer as ArrayBuffer }),
    );
    const unit = tf.div(tf.tensor4d([...input.images.slice(0, 3072)], [1, 32, 32, 3]), 255);
    const x = tf.div(tf.sub(unit, tf.tensor1d(normalise.mean)), tf.tensor1d(normalise.deviation));
    const actual = await tf.logSoftmax(model.predict(x) as Tensor2D).data();
    actual.forEach((row, i) => expect(row).toBeCloseTo(expected[i]!, 4));
  });
});

interface Manifest {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly weights: [] }[];
}
