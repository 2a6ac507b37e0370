import { describe, expect, it } from 'vitest';
import type { Engine, ModelTopology, TrainProgram } from '../../engine/engine.js';
import { describeModel } from '../../engine/model/model.js';
import { layers as tfl } from '../../engine/model/tfjs/tf.js';
import { quickEngines } from './engines.js';
import { relativeError } from './parity/compare.js';

/** Gradients compared with differences of the engine's own loss, where TF.js's gradient can't serve as reference. */

type Layer = Parameters<ReturnType<typeof tfl.sequential>['add']>[0];
const l = tfl.layers;
const engines = await quickEngines();
const [batch, classes] = [3, 3];
const labels = Int32Array.of(0, 1, 2);

/** Two areas of one colour each, so that most windows have ties. */
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
  'layer normalization without scale': () => ({
    side: 6,
    images: noisy(6),
    layers: [conv(6), l.layerNormalization({ scale: false }), l.flatten({}), out()],
  }),
  'layer normalization without scale and centre': () => ({
    side: 6,
    images: noisy(6),
    layers: [conv(6), l.layerNormalization({ scale: false, center: false }), l.flatten({}), out()],
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

/** Slope of the loss along a direction in some of the parameters. */
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

describe('a convolution of channels first gives what the one of channels last gives', () => {
  /** As many filters as output rows, so that a bias along the wrong axis would fit. */
  const convolutions: Record<string, (args: object) => Layer> = {
    'separable': (args) => l.separableConv2d({ name: 'conv', filters: 4, kernelSize: 3, ...args }),
    'separable, with holes': (args) => l.separableConv2d({ name: 'conv', filters: 2, kernelSize: 3, dilationRate: 2, ...args }),
    'with holes': (args) => l.conv2d({ name: 'conv', filters: 2, kernelSize: 3, dilationRate: 2, ...args }),
  }; // prettier-ignore
  const size = 6;
  const permute = (dims: number[], args: object = {}) => l.permute({ dims, ...args });
  const stepOf = async (engine: Engine, layers: Layer[]) => {
    const topology = tfl.sequential({ layers: [...layers, l.flatten({}), out()] }).toJSON(null, false);
    const common = {
      imageShape: [size, size, 2] as const,
      classes,
      normalise: { mean: [0.2, 0.3], deviation: [0.3, 0.2] },
    };
    const spec = { ...common, topology: topology as unknown as ModelTopology, batch, mode: 'train' } as const;
    const program = await engine.compileTrain(spec);
    const { parameterCount } = await describeModel(spec.topology);
    const params = Float32Array.from({ length: parameterCount }, (_, i) => Math.sin(i * 1.7 + 1) * 0.4);
    const images = Uint8Array.from({ length: batch * size * size * 2 }, (_, i) => Math.imul(i + 1, 2654435761) >>> 24);
    const result = await program.run({ params, state: new Float32Array(0), images, labels });
    await program.dispose();
    const evaluate = await engine.compileEvaluate({ ...spec, mode: 'evaluate' });
    const { logProbabilities } = await evaluate.run({ params, state: new Float32Array(0), images, labels });
    await evaluate.dispose();
    return { ...result, logProbabilities };
  };

  it.each(Object.entries(convolutions))('%s', async (_, make) => {
    for (const engine of engines) {
      const [toFirst, toLast] = [permute([3, 1, 2], { inputShape: [size, size, 2] }), permute([2, 3, 1])];
      const first = await stepOf(engine, [toFirst, make({ dataFormat: 'channelsFirst' }), toLast]);
      const last = await stepOf(engine, [make({ inputShape: [size, size, 2] })]);
      expect(relativeError(first.gradient, last.gradient)).toBeLessThan(1e-6);
      expect(relativeError(first.logProbabilities, last.logProbabilities)).toBeLessThan(1e-6);
      expect(first.lossSum).toBeCloseTo(last.lossSum, 5);
    }
  });
});
