import type { ModelTopology } from '../../engine/engine.js';

/** Small topologies for tests, from images to three logits. */

export type LayerJson = Record<string, unknown> & { class_name: string; config: Record<string, unknown> };

export const flatten: LayerJson = { class_name: 'Flatten', config: { name: 'flatten' } };
export const norm: LayerJson = {
  class_name: 'BatchNormalization',
  config: { name: 'norm', momentum: 0.8, epsilon: 1e-3 },
};

export function dense(config: Record<string, unknown>): LayerJson {
  return { class_name: 'Dense', config: { name: 'dense', units: 3, ...config } };
}

export function conv(config: Record<string, unknown>): LayerJson {
  return {
    class_name: 'Conv2D',
    config: { name: 'conv', filters: 4, kernel_size: [3, 3], padding: 'same', ...config },
  };
}

/** A topology for images `[H, W, C]`. */
export function sequential(imageShape: readonly number[], layers: readonly LayerJson[]): ModelTopology {
  const [first, ...rest] = layers as [LayerJson, ...LayerJson[]];
  const config = { ...first.config, batch_input_shape: [null, ...imageShape] };
  return { class_name: 'Sequential', config: { name: 'model', layers: [{ ...first, config }, ...rest] } };
}
