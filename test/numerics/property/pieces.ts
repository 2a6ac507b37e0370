import type { Dice } from './dice.js';

/** Layers of random models for an input shape: configuration without the name, and output shape. */

export type Shape = readonly number[];
export type Config = Record<string, unknown>;
export interface Piece {
  readonly className: string;
  readonly config: Config;
  readonly shape: Shape;
}
type Make = (dice: Dice, shape: Shape) => Piece | undefined;

/** Names of activations that both TF.js and tf_keras have. */
export const activations = ['elu', 'gelu', 'hard_sigmoid', 'linear', 'log_softmax', 'mish', 'relu', 'relu6', 'selu', 'sigmoid', 'softmax', 'softplus', 'softsign', 'swish', 'tanh']; // prettier-ignore

const windowed = (size: number, window: number, stride: number, padding: string): number =>
  padding === 'same' ? Math.ceil(size / stride) : Math.floor((size - window) / stride) + 1;

const initializer = (dice: Dice) => ({
  class_name: dice.pick(['GlorotUniform', 'HeNormal', 'RandomUniform', 'Ones', 'Orthogonal', 'LecunNormal']),
  config: {},
});

/** Random window, stride and padding that fit an image of rows × columns. */
function windowOf(dice: Dice, [rows, columns]: Shape) {
  const padding = dice.pick(['same', 'valid']);
  const most = padding === 'same' ? 3 : Math.min(3, rows!, columns!);
  const size = [dice.int(1, most), dice.int(1, most)] as const;
  const stride = dice.chance(0.7) ? 1 : 2;
  const out = [rows!, columns!].map((n, i) => windowed(n, size[i]!, stride, padding));
  return { padding, size: [...size], stride, out };
}

const convolved: Make = (dice, shape) => {
  const { padding, size, stride, out } = windowOf(dice, shape);
  const filters = dice.int(1, 4);
  const isDilated = padding === 'same' && stride === 1 && dice.chance(0.15);
  const config = {
    filters,
    kernel_size: size,
    ...(padding === 'same' || dice.chance(0.5) ? { padding } : {}),
    ...(stride === 1 ? {} : { strides: [stride, stride] }),
    ...(isDilated ? { dilation_rate: [2, 2] } : {}),
    ...activated(dice),
  };
  return { className: dice.chance(0.75) ? 'Conv2D' : 'SeparableConv2D', config, shape: [...out, filters] };
};

function activated(dice: Dice): Config {
  return dice.some({
    activation: () => dice.pick(activations),
    use_bias: () => dice.chance(0.5),
    bias_initializer: () => ({ class_name: 'Zeros', config: {} }),
  });
}

const depthwise: Make = (dice, shape) => {
  const { padding, size, stride, out } = windowOf(dice, shape);
  const multiplier = dice.int(1, 2);
  const config = { kernel_size: size, padding, strides: [stride, stride], ...(multiplier > 1 ? { depth_multiplier: 2 } : {}), ...activated(dice) }; // prettier-ignore
  return { className: 'DepthwiseConv2D', config, shape: [...out, shape[2]! * multiplier] };
};

const transposed: Make = (dice, [rows, columns]) => {
  if (rows! > 8 || columns! > 8) return undefined;
  const [window, stride, filters] = [dice.int(1, 3), dice.int(1, 2), dice.int(1, 3)];
  const padding = dice.pick(['same', 'valid']);
  const size = (n: number) => n * stride + (padding === 'same' ? 0 : Math.max(window - stride, 0));
  const config = { filters, kernel_size: [window, window], strides: [stride, stride], padding, ...activated(dice) };
  return { className: 'Conv2DTranspose', config, shape: [size(rows!), size(columns!), filters] };
};

const pooled: Make = (dice, shape) => {
  const { padding, size, out } = windowOf(dice, shape);
  const strides = dice.chance(0.5) ? { strides: [1, 1] } : {};
  const steps = 'strides' in strides ? [1, 1] : size;
  const rows = out.map((_, i) => windowed(shape[i]!, size[i]!, steps[i]!, padding));
  const className = dice.pick(['MaxPooling2D', 'AveragePooling2D']);
  return { className, config: { pool_size: size, padding, ...strides }, shape: [...rows, shape[2]!] };
};

const pooledWhole: Make = (dice, shape) => ({
  className: dice.pick(['GlobalAveragePooling2D', 'GlobalMaxPooling2D']),
  config: {},
  shape: [shape[2]!],
});

const padded: Make = (dice, [rows, columns, channels]) => {
  const around = [[dice.int(0, 1), dice.int(0, 2)], [1, 0]] as const; // prettier-ignore
  const sums = around.map(([before, after]) => before + after);
  const isCropped = rows! > sums[0]! && columns! > sums[1]! && dice.chance(0.5);
  const sign = isCropped ? -1 : 1;
  const shape = [rows! + sign * sums[0]!, columns! + sign * sums[1]!, channels!];
  return isCropped
    ? { className: 'Cropping2D', config: { cropping: around }, shape }
    : { className: 'ZeroPadding2D', config: { padding: around }, shape };
};

const normalised: Make = (dice, shape) => {
  const common = {
    epsilon: () => dice.pick([1e-3, 1e-5, 0.01]),
    center: () => dice.chance(0.5),
    scale: () => dice.chance(0.5),
    axis: () => dice.pick([-1, shape.length, [shape.length]]),
  };
  // For a single value it would only amplify rounding noise.
  const isLayers = shape.at(-1)! > 1 && dice.chance(0.3);
  if (isLayers) return { className: 'LayerNormalization', config: dice.some(common), shape };
  const config = dice.some({ ...common, momentum: () => dice.pick([0.9, 0.5, 0.99]) });
  return { className: 'BatchNormalization', config, shape };
};

const dropped: Make = (dice, shape) => {
  const config = { rate: dice.pick([0.2, 0.5, 0]) };
  if (shape.length === 2 && dice.chance(0.5)) return { className: 'SpatialDropout1D', config, shape };
  const noise = { noise_shape: () => [null, ...shape.map((n, i) => (i === shape.length - 1 ? n : 1))] };
  return { className: 'Dropout', config: { ...config, ...dice.some(noise, 0.2) }, shape };
};

const activation: Make = (dice, shape) => {
  const alpha = () => dice.pick([0.1, 0.2, 1]);
  const sharedAxes = () => shape.map((_, i) => i + 1).slice(0, -1);
  const configs: Record<string, () => Config> = {
    Activation: () => ({ activation: dice.pick(activations) }),
    ReLU: () => dice.some({ max_value: () => dice.pick([1.5, 6]) }),
    LeakyReLU: () => dice.some({ alpha }, 0.6),
    PReLU: () => (shape.length > 1 ? dice.some({ shared_axes: sharedAxes }, 0.6) : {}),
    ELU: () => dice.some({ alpha }),
    Softmax: () => dice.some({ axis: () => -1 }),
  };
  const className = dice.pick(['Activation', 'Activation', ...Object.keys(configs)]);
  return { className, config: configs[className]!(), shape };
};

const turned: Make = (dice, shape) => {
  const dims = shape.map((_, i) => i + 1);
  const order = dice.chance(0.5) ? [...dims].reverse() : [...dims.slice(1), dims[0]!];
  return { className: 'Permute', config: { dims: order }, shape: order.map((axis) => shape[axis - 1]!) };
};

const joinedRows: Make = (dice, shape) => {
  const rest = shape.slice(1).reduce((a, b) => a * b, 1);
  const target = dice.chance(0.3) ? [shape[0]!, -1] : [shape[0]!, rest];
  return { className: 'Reshape', config: { target_shape: target }, shape: [shape[0]!, rest] };
};

const flattened: Make = (_, shape) => ({ className: 'Flatten', config: {}, shape: [shape.reduce((a, b) => a * b, 1)] });

const dense: Make = (dice, shape) => {
  const units = dice.int(2, 6);
  const weights = dice.some({ kernel_initializer: () => initializer(dice) });
  return {
    className: 'Dense',
    config: { units, ...activated(dice), ...weights },
    shape: [...shape.slice(0, -1), units],
  };
};

const repeated: Make = (dice, shape) => {
  const n = dice.int(2, 3);
  return { className: 'RepeatVector', config: { n }, shape: [n, shape[0]!] };
};

const convolvedRows: Make = (dice, [steps]) => {
  const padding = dice.pick(['same', 'valid', 'causal']);
  const [size, stride] = [dice.int(1, Math.min(3, steps!)), padding === 'causal' ? 1 : dice.int(1, 2)];
  const filters = dice.int(1, 4);
  const out = windowed(steps!, size, stride, padding === 'valid' ? 'valid' : 'same');
  return { className: 'Conv1D', config: { filters, kernel_size: [size], strides: [stride], padding, ...activated(dice) }, shape: [out, filters] }; // prettier-ignore
};

const pooledRows: Make = (dice, [steps, features]) => {
  if (steps! < 2) return undefined;
  const padding = dice.pick(['same', 'valid']);
  const className = dice.pick(['MaxPooling1D', 'AveragePooling1D']);
  return { className, config: { pool_size: [2], padding }, shape: [windowed(steps!, 2, 2, padding), features!] };
};

/** TF.js has other defaults than Keras for some of these keys. */
const recurrent: Make = (dice, [steps]) => {
  const [units, sequences] = [dice.int(1, 3), dice.chance(0.5)];
  const className = dice.pick(['SimpleRNN', 'LSTM', 'GRU']);
  const own = className === 'GRU' ? { reset_after: () => false } : {};
  const gates = className === 'SimpleRNN' ? {} : { recurrent_activation: () => dice.pick(['sigmoid', 'hard_sigmoid']) };
  const config = {
    units,
    ...(sequences ? { return_sequences: true } : {}),
    ...dice.some({ recurrent_initializer: () => ({ class_name: 'GlorotUniform', config: {} }), ...own, ...gates }, 0.8),
  };
  const out = (width: number) => (sequences ? [steps!, width] : [width]);
  if (dice.chance(0.7)) return { className, config, shape: out(units) };
  const layer = { class_name: className, config: { name: 'inner', ...config } };
  const merge: Config = dice.some({ merge_mode: () => dice.pick(['concat', 'sum', 'ave', 'mul']) });
  const width = (merge['merge_mode'] ?? 'concat') === 'concat' ? 2 * units : units;
  return { className: 'Bidirectional', config: { layer, ...merge }, shape: out(width) };
};

const distributed: Make = (dice, [steps, features]) => {
  const inner = dice.pick([dense, dense, activation, normalised, dropped])(dice, [features!])!;
  const layer = { class_name: inner.className, config: { name: 'inner', ...inner.config } };
  return { className: 'TimeDistributed', config: { layer }, shape: [steps!, ...inner.shape] };
};

/** Undocumented layers: they may be refused, but not trained incorrectly. */
const others: Make = (dice, shape) => {
  const anywhere: Record<string, Config> = {
    GaussianNoise: { stddev: 0.1 },
    GaussianDropout: { rate: 0.2 },
    AlphaDropout: { rate: 0.2 },
    ActivityRegularization: { l2: 0.1 },
    ThresholdedReLU: { theta: 0.3 },
    Masking: {},
    Rescaling: { scale: 0.5, offset: 0.1 },
    UnitNormalization: {},
  };
  const className = dice.pick(Object.keys(anywhere));
  return { className, config: anywhere[className]!, shape };
};

const otherImages: Make = (dice, [rows, columns, channels]) => {
  if (rows! > 8) return undefined;
  const options: Piece[] = [
    { className: 'UpSampling2D', config: { size: [2, 2] }, shape: [2 * rows!, 2 * columns!, channels!] },
    { className: 'SpatialDropout2D', config: { rate: 0.2 }, shape: [rows!, columns!, channels!] },
    { className: 'GroupNormalization', config: { groups: 1 }, shape: [rows!, columns!, channels!] },
  ];
  return dice.pick(options);
};

const anyRank = [normalised, normalised, dropped, activation, activation, activation];
const byRank: Record<number, readonly Make[]> = {
  3: [convolved, convolved, convolved, convolved, depthwise, transposed, pooled, pooled, pooledWhole, padded, turned, joinedRows, flattened, otherImages, ...anyRank, ...anyRank], // prettier-ignore
  2: [convolvedRows, convolvedRows, pooledRows, pooledRows, recurrent, recurrent, recurrent, distributed, distributed, turned, flattened, dense, ...anyRank], // prettier-ignore
  1: [dense, dense, repeated, ...anyRank],
};

/** Merges each row of an image into one vector, for sequence layers. */
export function rowsOf(shape: Shape): Piece {
  const target = [shape[0]!, shape[1]! * shape[2]!];
  return { className: 'Reshape', config: { target_shape: target }, shape: target };
}

/** A random layer for an input of this shape. */
export function randomPiece(dice: Dice, shape: Shape): Piece {
  const make = dice.chance(0.03) ? others : dice.pick(byRank[shape.length]!);
  return make(dice, shape) ?? randomPiece(dice, shape);
}

/** The layers that end a model of any shape: as many logits as classes. */
export function tailOf(shape: Shape, classes: number): Piece[] {
  const logits = { className: 'Dense', config: { units: classes }, shape: [classes] };
  return shape.length === 1 ? [logits] : [flattened(undefined as never, shape)!, logits];
}

/** A convolution that keeps rows and columns, for the branches of a merge. */
export function branchPiece(dice: Dice, shape: Shape, width: number): Piece {
  const config = shape.length === 3 ? { filters: width, kernel_size: [3, 3], padding: 'same' } : { units: width };
  const className = shape.length === 3 ? 'Conv2D' : 'Dense';
  return { className, config: { ...config, ...activated(dice) }, shape: [...shape.slice(0, -1), width] };
}
