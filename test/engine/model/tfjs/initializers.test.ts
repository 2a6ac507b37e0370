import { describe, expect, it } from 'vitest';
import { initialWeights } from '../../../../engine/model/model.js';
import { layers, tf } from '../../../../engine/model/tfjs/tf.js';
import { conv, dense, flatten, sequential } from '../../topologies.js';

/** The products of all pairs of columns of `[rows, columns]`. */
function gram(values: ArrayLike<number>, rows: number, columns: number): number[] {
  return Array.from({ length: columns * columns }, (_, pair) => {
    const [a, b] = [Math.floor(pair / columns), pair % columns];
    return Array.from({ length: rows }, (__, row) => values[row * columns + a]! * values[row * columns + b]!).reduce(
      (sum, x) => sum + x,
      0,
    );
  });
}

function expectIdentity(products: readonly number[], size: number, scale = 1): void {
  products.forEach((product, i) => expect(product).toBeCloseTo(i % (size + 1) === 0 ? scale : 0, 5));
}

const orthogonal = (gain: number) => ({ class_name: 'Orthogonal', config: { gain, seed: null } });

describe('the orthogonal initializer', () => {
  it('gives orthonormal columns, times the gain', async () => {
    const model = sequential([4, 4, 1], [flatten, dense({ units: 3, kernel_initializer: orthogonal(2) })]);
    const { params } = await initialWeights(model, 1);
    expectIdentity(gram(params.subarray(0, 48), 16, 3), 3, 4);
  });

  it('gives orthonormal rows where there are more columns', async () => {
    const wide = conv({ kernel_size: [1, 1], filters: 9, kernel_initializer: orthogonal(1) });
    const { params } = await initialWeights(sequential([4, 4, 2], [wide, flatten, dense({})]), 1);
    const columns = Float32Array.from({ length: 18 }, (_, i) => params[(i % 2) * 9 + Math.floor(i / 2)]!);
    expectIdentity(gram(columns, 9, 2), 2);
  });

  it('gives the Q of the QR decomposition with a positive diagonal, as TF.js does', async () => {
    await tf.setBackend('cpu');
    const normal = tf.randomNormal([5, 3], 0, 1, 'float32', 7);
    const [q, r] = tf.linalg.qr(normal);
    const signs = [0, 1, 2].map((i) => Math.sign(r.arraySync()[i as never][i as never]));
    const expected = Array.from(q.dataSync(), (value, i) => value * signs[i % 3]!);
    const actual = layers.initializers.orthogonal({ seed: 7 }).apply([5, 3], 'float32').dataSync();
    actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
  });

  it('lets recurrent layers, whose default it is, begin with the same values every time', async () => {
    const lstm = layers.sequential({
      layers: [layers.layers.lstm({ name: 'lstm', units: 3, inputShape: [4, 2] }), layers.layers.dense({ units: 3 })],
    });
    const topology = lstm.toJSON(null, false) as unknown as Parameters<typeof initialWeights>[0];
    const first = await initialWeights(topology, 1);
    expect(await initialWeights(topology, 1)).toEqual(first);
    expect((await initialWeights(topology, 2)).params).not.toEqual(first.params);
    const recurrent = first.params.subarray(2 * 12, 2 * 12 + 36);
    const columns = Float32Array.from({ length: 36 }, (_, i) => recurrent[(i % 3) * 12 + Math.floor(i / 3)]!);
    expectIdentity(gram(columns, 12, 3), 3);
  });
});

const random = [
  { class_name: 'RandomNormal', config: { mean: 0, stddev: 0.05, seed: null } },
  { class_name: 'RandomUniform', config: { minval: -0.05, maxval: 0.05, seed: null } },
  { class_name: 'TruncatedNormal', config: { mean: 0, stddev: 0.05, seed: null } },
  { class_name: 'VarianceScaling', config: { scale: 1, mode: 'fanIn', distribution: 'normal', seed: null } },
  ...[
    'GlorotNormal',
    'GlorotUniform',
    'HeNormal',
    'HeUniform',
    'LeCunNormal',
    'LeCunUniform',
    'LecunNormal',
    'LecunUniform',
    'Orthogonal',
  ].map((name) => ({ class_name: name, config: { seed: null } })),
  'glorotNormal',
  'heUniform',
  'leCunNormal',
  'orthogonal',
  'randomNormal',
  'truncatedNormal',
  'varianceScaling',
];
const fixed = [
  { class_name: 'Identity', config: { gain: 1 } },
  { class_name: 'Constant', config: { value: 0.5 } },
  'ones',
  'zeros',
];

describe('an initializer of TF.js', () => {
  const modelWith = (initializer: unknown) =>
    sequential([4, 4, 1], [flatten, dense({ name: 'square', units: 16, kernel_initializer: initializer }), dense({})]);
  const nameOf = (initializer: unknown) => (initializer as { class_name?: string }).class_name ?? String(initializer);

  it.each(random.map((initializer) => [nameOf(initializer), initializer]))(
    "that is random draws from the job's seed: %s",
    async (_, initializer) => {
      const { params } = await initialWeights(modelWith(initializer), 1);
      expect((await initialWeights(modelWith(initializer), 1)).params).toEqual(params);
      const other = (await initialWeights(modelWith(initializer), 2)).params;
      expect(other.subarray(0, 256)).not.toEqual(params.subarray(0, 256));
      expect(new Set(params.subarray(0, 256)).size).toBeGreaterThan(200);
    },
  );

  it.each(fixed.map((initializer) => [nameOf(initializer), initializer]))(
    'that is not gives the same for every seed: %s',
    async (_, initializer) => {
      const [one, two] = [
        await initialWeights(modelWith(initializer), 1),
        await initialWeights(modelWith(initializer), 2),
      ];
      expect(two.params.subarray(0, 256)).toEqual(one.params.subarray(0, 256));
    },
  );
});

it('draws variance scaling from a truncated normal distribution if configured so', async () => {
  const valuesOf = async (distribution: string) => {
    const config = { scale: 1, mode: 'fan_in', distribution, seed: null };
    const initializer = { class_name: 'VarianceScaling', config };
    const layer = dense({ name: 'square', units: 16, kernel_initializer: initializer });
    return (await initialWeights(sequential([4, 4, 1], [flatten, layer, dense({})]), 1)).params.subarray(0, 256);
  };
  expect(await valuesOf('truncated_normal')).toEqual(await valuesOf('normal'));
  expect(await valuesOf('truncated_normal')).not.toEqual(await valuesOf('uniform'));
});
