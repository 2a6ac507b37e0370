import type { ModelTopology } from '../../engine/engine.js';
import { batchNorm, convolution, dense, layer, type Layer, relu, sequential } from './layers.js';

/** One convolution block; `kernel` is the side of the square kernel. */
interface Block {
  readonly filters: number;
  readonly kernel: number;
}

const three: readonly Block[] = [
  { filters: 16, kernel: 7 },
  { filters: 32, kernel: 5 },
  { filters: 64, kernel: 3 },
];
/** The lecture doesn't specify its fourth convolution; this one continues the pattern of the third. */
const four: readonly Block[] = [...three, { filters: 128, kernel: 3 }];

/** The lecture's network: blocks of convolution, batch norm, ReLU and 2×2 max pooling, 100 ReLU units, logits. */
function network(name: string, blocks: readonly Block[]) {
  return (imageShape: readonly number[], classes: number): ModelTopology => {
    const [first, ...rest] = blocks.flatMap(block);
    const head = [layer('Flatten', 'flatten', {}), dense('dense1', 100, 'relu'), dense('logits', classes, 'linear')];
    return sequential(name, imageShape, [first!, ...rest, ...head]);
  };
}

export const cnn3 = network('cnn3', three);
export const cnn4 = network('cnn4', four);

function block({ filters, kernel }: Block, index: number): Layer[] {
  const number = index + 1;
  return [
    convolution(`conv${number}`, { filters, kernel }),
    batchNorm(`norm${number}`),
    relu(`relu${number}`),
    layer('MaxPooling2D', `pool${number}`, {
      pool_size: [2, 2],
      strides: [2, 2],
      padding: 'valid',
      data_format: 'channels_last',
    }),
  ];
}
