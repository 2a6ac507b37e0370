import type { ModelTopology } from '../../engine/engine.js';
import { batchNorm, convolution, dense, layer, type Layer, origin, relu } from './layers.js';

/** He et al. 2015, "Delving Deep into Rectifiers"; Keras's `he_normal`. */
const heNormal = {
  class_name: 'VarianceScaling',
  config: { scale: 2, mode: 'fan_in', distribution: 'normal', seed: null },
};

/**
 * The residual network for CIFAR of He et al. 2015, "Deep Residual Learning", 4.2: a convolution, three stages of
 * `blocks` blocks with 16, 32 and 64 filters, global average pooling, logits. The shortcut of a downsampling block is a
 * strided 1×1 convolution (their option B).
 */
function resnet(name: string, blocks: number) {
  return (imageShape: readonly number[], classes: number): ModelTopology => {
    const model = new Functional(name, imageShape);
    let x = model.convolve(model.input, 'stem', { filters: 16, kernel: 3 });
    for (const [stage, filters] of [16, 32, 64].entries()) {
      for (let block = 0; block < blocks; block++) {
        x = residual(model, x, `stage${stage + 1}/block${block + 1}`, filters, stage > 0 && block === 0 ? 2 : 1);
      }
    }
    const means = model.add(layer('GlobalAveragePooling2D', 'means', { data_format: 'channels_last' }), x);
    return model.topology(model.add(dense('logits', classes, 'linear'), means));
  };
}

export const resnet20 = resnet('resnet20', 3);

/** relu(x + F(x)), where F is two 3×3 convolutions. @returns the name of its output. */
function residual(model: Functional, x: string, name: string, filters: number, stride: number): string {
  const first = model.convolve(x, `${name}/a`, { filters, kernel: 3, stride });
  const long = model.convolve(first, `${name}/b`, { filters, kernel: 3 }, false);
  const short = stride === 1 ? x : model.convolve(x, `${name}/short`, { filters, kernel: 1, stride }, false);
  const sum = model.add(layer('Add', `${name}/sum`, {}), long, short);
  return model.add(relu(`${name}/relu`), sum);
}

/** Builder of a functional model. Outputs are referred to by their layer's name. */
class Functional {
  readonly input = 'images';
  private readonly layers: object[];

  constructor(
    private readonly name: string,
    imageShape: readonly number[],
  ) {
    const config = { batch_input_shape: [null, ...imageShape], dtype: 'float32', sparse: false, name: this.input };
    this.layers = [{ class_name: 'InputLayer', config, name: this.input, inbound_nodes: [] }];
  }

  add({ class_name, config }: Layer, ...inputs: readonly string[]): string {
    const name = String(config['name']);
    this.layers.push({ class_name, config, name, inbound_nodes: [inputs.map((input) => [input, 0, 0, {}])] });
    return name;
  }

  /** Convolution, batch norm and, with `withRelu`, ReLU. @returns the name of its output. */
  convolve(x: string, name: string, conv: Parameters<typeof convolution>[1], withRelu = true): string {
    const y = this.add(convolution(`${name}/conv`, { ...conv, bias: false, initializer: heNormal }), x);
    const normed = this.add(batchNorm(`${name}/norm`), y);
    return withRelu ? this.add(relu(`${name}/relu`), normed) : normed;
  }

  topology(output: string): ModelTopology {
    const ends = { input_layers: [[this.input, 0, 0]], output_layers: [[output, 0, 0]] };
    return { class_name: 'Functional', config: { name: this.name, layers: this.layers, ...ends }, ...origin };
  }
}
