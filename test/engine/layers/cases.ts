import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { layers as tfl } from '../../../engine/model/tfjs/tf.js';

type Layer = LayersModel['layers'][number];
type Body = (x: SymbolicTensor) => SymbolicTensor;

const l = tfl.layers;
const apply = (layer: Layer, x: SymbolicTensor | SymbolicTensor[]) => layer.apply(x) as SymbolicTensor;
const chain =
  (...parts: Layer[]): Body =>
  (x) =>
    parts.reduce((y, layer) => apply(layer, y), x);
const conv = (filters: number, args: object = {}) => l.conv2d({ filters, kernelSize: 3, padding: 'same', ...args });

const convolutions: Record<string, () => Body> = {
  'conv2d, channels first': () => chain(l.permute({ dims: [3, 1, 2] }), conv(4, { dataFormat: 'channelsFirst' })),
  'conv2d without bias': () => chain(conv(4, { useBias: false })),
  'conv2d, strides [2, 1], valid': () => chain(conv(4, { strides: [2, 1], padding: 'valid' })),
  'conv2d of a block, stride 2': () => chain(conv(32), conv(32, { strides: 2 })),
  'conv2d 1×1 of a block, stride 2': () => chain(conv(16), conv(32, { kernelSize: 1, strides: 2 })),
  'conv2d, dilation 2, same': () => chain(conv(3), conv(4, { dilationRate: 2, activation: 'relu' })),
  'conv2d of a block, dilation [1, 2], valid': () => chain(conv(16), conv(16, { dilationRate: [1, 2], padding: 'valid' })),
  'depthwiseConv2d': () => chain(l.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, padding: 'same', strides: 2 })),
  'separableConv2d': () => chain(l.separableConv2d({ kernelSize: 3, filters: 5, depthMultiplier: 2, padding: 'same', activation: 'tanh' })),
  'separableConv2d, dilation 2': () => chain(l.separableConv2d({ kernelSize: 3, filters: 5, dilationRate: 2 })),
  'conv2dTranspose': () => chain(l.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same' })),
  'conv1d over rows': () => chain(l.reshape({ targetShape: [8, 16] }), l.conv1d({ filters: 4, kernelSize: 3, strides: 2 })),
}; // prettier-ignore

const pools: Record<string, () => Body> = {
  'maxPooling2d 3×3, stride 2, same': () => chain(conv(4), l.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  'averagePooling2d 2×2': () => chain(conv(4), l.averagePooling2d({ poolSize: 2 })),
  'averagePooling2d 3×3, stride 2, same': () => chain(conv(4), l.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  'globalAveragePooling2d': () => chain(conv(6), l.globalAveragePooling2d({})),
  'globalMaxPooling2d': () => chain(conv(6), l.globalMaxPooling2d({})),
  'globalMaxPooling1d': () => chain(l.reshape({ targetShape: [16, 8] }), l.globalMaxPooling1d({})),
  'maxPooling1d and averagePooling1d': () => chain(l.reshape({ targetShape: [16, 8] }), l.maxPooling1d({ poolSize: 2 }), l.averagePooling1d({ poolSize: 2 })),
}; // prettier-ignore

const norms: Record<string, () => Body> = {
  'batchNormalization after conv2d': () => chain(conv(4), l.batchNormalization({ momentum: 0.8 }), l.reLU()),
  'batchNormalization after dense': () => chain(l.flatten(), l.dense({ units: 6 }), l.batchNormalization({})),
  'batchNormalization without scale and centre': () => chain(conv(4), l.batchNormalization({ scale: false, center: false })),
  'layerNormalization of channels': () => chain(conv(4), l.layerNormalization({})),
  'layerNormalization of a vector': () => chain(l.flatten(), l.dense({ units: 6 }), l.layerNormalization({ epsilon: 1e-5 })),
  'layerNormalization of an image': () => chain(conv(4), l.layerNormalization({ axis: [1, 2, 3] })),
}; // prettier-ignore

const dropouts: Record<string, () => Body> = {
  'dropout of a vector': () => chain(l.flatten(), l.dense({ units: 16, activation: 'relu' }), l.dropout({ rate: 0.5 })),
  'dropout of an image': () => chain(conv(16), l.dropout({ rate: 0.25 }), conv(16)),
  'dropout of whole channels': () => chain(conv(4), l.dropout({ rate: 0.5, noiseShape: [null as never, 1, 1, 4] })),
  'spatialDropout1d': () => chain(l.reshape({ targetShape: [16, 8] }), l.spatialDropout1d({ rate: 0.3 })),
  'two dropouts': () => chain(conv(4), l.dropout({ rate: 0.2 }), l.flatten(), l.dense({ units: 8 }), l.dropout({ rate: 0.4 })),
  'dropout without a rate': () => chain(conv(4), l.dropout({ rate: 0 })),
  'one dropout called twice': () => twice(),
  'dropout of every step of a sequence': () => chain(l.reshape({ targetShape: [4, 32] }), l.timeDistributed({ layer: l.dropout({ name: 'drop', rate: 0.5 }) })),
}; // prettier-ignore

function twice(): Body {
  const drop = l.dropout({ rate: 0.5 });
  return (x) => apply(l.add(), [apply(drop, x), apply(drop, x)]);
}

const shapes: Record<string, () => Body> = {
  flatten: () => chain(l.flatten()),
  reshape: () => chain(l.reshape({ targetShape: [4, 32] }), l.dense({ units: 3 })),
  permute: () => chain(conv(3), l.permute({ dims: [3, 1, 2] })),
  zeroPadding2d: () => chain(l.zeroPadding2d({ padding: [[1, 0], [2, 1]] }), conv(4, { padding: 'valid' })),
  cropping2d: () => chain(conv(4), l.cropping2D({ cropping: [[1, 1], [2, 0]] })),
  repeatVector: () => chain(l.flatten(), l.dense({ units: 4 }), l.repeatVector({ n: 3 })),
}; // prettier-ignore

const merge =
  (layer: Layer): Body =>
  (x) =>
    apply(layer, [apply(conv(4), x), apply(conv(4, { activation: 'tanh' }), x)]);
const merges: Record<string, () => Body> = {
  add: () => merge(l.add()),
  multiply: () => merge(l.multiply()),
  average: () => merge(l.average()),
  maximum: () => merge(l.maximum()),
  minimum: () => merge(l.minimum()),
  'concatenate channels': () => merge(l.concatenate()),
  'concatenate rows': () => merge(l.concatenate({ axis: 1 })),
  'residual block': () => residual(16),
  'two dense layers in one': () => (x) => apply(inner(), apply(l.flatten(), x)),
}; // prettier-ignore

/** As in ResNet: strided on the main path, projected on the shortcut. */
function residual(filters: number): Body {
  return (x) => {
    const norm = () => l.batchNormalization({});
    const start = chain(conv(filters), norm(), l.activation({ activation: 'relu' }))(x);
    const long = chain(conv(filters, { strides: 2 }), norm(), l.reLU(), conv(filters), norm())(start);
    const short = chain(conv(filters, { kernelSize: 1, strides: 2 }), norm())(start);
    return apply(l.activation({ activation: 'relu' }), apply(l.add(), [long, short]));
  };
}

function inner(): Layer {
  return tfl.sequential({
    layers: [l.dense({ units: 6, activation: 'relu', inputShape: [128] }), l.dense({ units: 4 })],
  });
}

const activations: Record<string, () => Body> = {
  ...Object.fromEntries(
    ['elu', 'gelu', 'hardSigmoid', 'linear', 'logSoftmax', 'mish', 'relu', 'relu6', 'selu', 'sigmoid', 'softmax', 'softplus', 'softsign', 'swish', 'tanh'].map(
      (activation) => [activation, () => chain(conv(4), l.activation({ activation: activation as 'relu' }))],
    ),
  ),
  'relu of dense': () => chain(l.flatten(), l.dense({ units: 8, activation: 'relu' })),
  'relu up to a maximum': () => chain(conv(4), l.reLU({ maxValue: 1.5 })),
  leakyReLU: () => chain(conv(4), l.leakyReLU({ alpha: 0.2 })),
  'prelu per element': () => chain(conv(4), l.prelu({ alphaInitializer: 'randomNormal' })),
  'prelu per channel': () => chain(conv(4), l.prelu({ alphaInitializer: 'randomNormal', sharedAxes: [1, 2] })),
  'elu layer': () => chain(conv(4), l.elu()),
  'softmax layer': () => chain(conv(4), l.softmax({ axis: -1 })),
}; // prettier-ignore

export const families = { convolutions, pools, norms, dropouts, shapes, merges, activations };

/** The model of a case: its body, then one dense logit per class. */
export function modelOf(body: () => Body, imageShape: readonly number[]): LayersModel {
  const input = tfl.input({ shape: [...imageShape] });
  const y = body()(input);
  const vector = y.shape.length === 2 ? y : apply(l.flatten(), y);
  return tfl.model({ inputs: input, outputs: apply(l.dense({ units: 3 }), vector) });
}
