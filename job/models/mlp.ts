import type { ModelTopology } from '../../engine/engine.js';
import { batchNorm, dense, layer, relu, sequential } from './layers.js';

/**
 * A small network for tests, with matrices, running statistics and about as many parameters as cnn3. A step takes a
 * hundredth of cnn3's time.
 */
export function mlp(imageShape: readonly number[], classes: number): ModelTopology {
  return sequential('mlp', imageShape, [
    layer('Flatten', 'flatten', {}),
    dense('dense1', 32, 'linear'),
    batchNorm('norm1'),
    relu('relu1'),
    dense('logits', classes, 'linear'),
  ]);
}
