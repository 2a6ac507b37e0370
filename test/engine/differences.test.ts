import { describe, expect, it } from 'vitest';
import type { Engine, ModelTopology, TrainProgram } from '../../engine/engine.js';
import { describeModel } from '../../engine/model.js';
import { layers as tfl } from '../../engine/tf.js';
import { quickEngines } from './engines.js';

/** Gradients against differences of the engine's own loss, where TF.js's own gradient is no reference. */

type Layer = Parameters<ReturnType<typeof tfl.sequential>['add']>[0];
const l = tfl.layers;
const engines = await quickEngines();
const [batch, classes] = [3, 3];
const labels = Int32Array.of(0, 1, 2);

/** Two areas of one colour each, so that most windows tie. */
const flat = (side: number) =>
  Uint8Array.from({ length: batch * side * side }, (_, i) => {
    const image = Math.floor(i / (side * side));
    return i % side < side / 2 ? 40 + 60 * image : 200 - 30 * image;
  });
const noisy = (side: number) =>
  Uint8Array.from({ length: batch * side * side }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
const conv = (side: number, args: object = {}) =>
  l.conv2d({ name: 'conv', inputShape: [side, side, 1], filters: 8, kernelSize: 3, ...args });
const rows = (side: number) => l.reshape({ name: 'rows', inputShape: [side, side, 1], targetShape: [side, side] });
const out = () => l.dense({ name: 'out', units: classes });

interface DifferenceCase {
  readonly side: number;
  readonly images: Uint8Array;
  readonly layers: Layer[];
}

const ties: Record<string, () => DifferenceCase> = {
  'flat images, globalMaxPooling2d': () => ({
    side: 12,
    images: flat(12),
    layers: [conv(12), l.globalMaxPooling2d({}), out()],
  }),
  'overlapping windows, then globalMaxPooling2d': () => ({
    side: 12,
    images: noisy(12),
    layers: [conv(12), l.maxPooling2d({ poolSize: 3, strides: 1 }), l.globalMaxPooling2d({}), out()],
  }),
  'flat rows, globalMaxPooling1d': () => ({
    side: 12,
    images: flat(12),
    layers: [rows(12), l.conv1d({ name: 'conv', filters: 6, kernelSize: 3 }), l.globalMaxPooling1d({}), out()],
  }),
  'flat images, ReLU, overlapping windows': () => ({
    side: 12,
    images: flat(12),
    layers: [conv(12, { activation: 'relu' }), l.maxPooling2d({ poolSize: 3, strides: 2 }), l.flatten({}), out()],
  }),
};
const maps: Record<string, () => DifferenceCase> = {
  'layer normalization of a 32×32 map': () => ({
    side: 32,
    images: noisy(32),
    layers: [
      conv(32, { padding: 'same' }),
      l.layerNormalization({ name: 'norm' }),
      l.activation({ activation: 'tanh' }),
      l.globalAveragePooling2d({}),
      out(),
    ],
  }),
  'layer normalization of whole 24×24 images': () => ({
    side: 24,
    images: noisy(24),
    layers: [conv(24, { filters: 2 }), l.layerNormalization({ name: 'norm', axis: [1, 2, 3] }), l.flatten({}), out()],
  }),
  'repeatVector': () => ({
    side: 6,
    images: noisy(6),
    layers: [
      l.flatten({ inputShape: [6, 6, 1] }),
      l.dense({ units: 4, activation: 'tanh' }),
      l.repeatVector({ n: 40 }),
      l.conv1d({ filters: 3, kernelSize: 2 }),
      l.flatten({}),
      out(),
    ],
  }),
}; // prettier-ignore

describe.each(Object.entries({ ...ties, ...maps }))('the gradient is the slope of the loss: %s', (_, make) => {
  it.each(engines.map((engine) => [`${engine.info.name} ${engine.info.lowering}`, engine] as const))(
    '%s',
    async (__, engine) => expectSlopes(engine, make()),
  );
});

async function expectSlopes(engine: Engine, { side, images, layers }: DifferenceCase): Promise<void> {
  const topology = tfl.sequential({ layers }).toJSON(null, false) as unknown as ModelTopology;
  const imageShape = [side, side, 1] as const;
  const normalise = { mean: [0.2], deviation: [0.3] };
  const program = await engine.compileTrain({ topology, imageShape, classes, normalise, batch, mode: 'train' });
  const { parameters, parameterCount } = await describeModel(topology);
  const params = Float32Array.from({ length: parameterCount }, (_, i) => Math.sin(i * 1.7 + 1) * 0.4);
  const input = { params, state: new Float32Array(0), images, labels };
  const { gradient } = await program.run(input);
  for (const { name, offset, size } of parameters) {
    const direction = Float32Array.from({ length: size }, (_, i) => Math.cos(i * 3.1) / Math.sqrt(size));
    const expected = await slope(program, input, offset, direction);
    const actual = direction.reduce((sum, d, i) => sum + d * gradient[offset + i]!, 0);
    expect(Math.abs(actual - expected), name).toBeLessThan(2e-3 * Math.max(1, Math.abs(expected)));
  }
  await program.dispose();
}

/** Slope of the loss along a direction of some of the parameters. */
async function slope(
  program: TrainProgram,
  input: Parameters<TrainProgram['run']>[0],
  offset: number,
  direction: Float32Array,
): Promise<number> {
  const h = 4e-3;
  const lossAt = async (sign: number) => {
    const params = input.params.slice();
    direction.forEach((d, i) => (params[offset + i]! += sign * h * d));
    return (await program.run({ ...input, params })).lossSum;
  };
  return ((await lossAt(1)) - (await lossAt(-1))) / (2 * h);
}
