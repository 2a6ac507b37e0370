import type { Tensor } from '@tensorflow/tfjs-core';
import { EngineError } from '../errors.js';
import type { Layer } from '../model/layers.js';

/** Called before each call of a layer. @throws EngineError UNSUPPORTED_MODEL */
export type LayerCheck = (layer: Layer, inputs: Tensor | Tensor[]) => void;

/**
 * Creates a check, for one trace, that rejects layers that can't be trained or would differ from the original model:
 *
 * - batch norm over an axis other than the last, which TF.js can't train;
 * - `rescaling` of the images, which are already normalised.
 * @param isImages - returns true if a tensor is the model's input images, in any shape.
 */
export function createLayerCheck(isImages: (x: Tensor) => boolean): LayerCheck {
  return (layer, inputs) => {
    const kind = layer.getClassName();
    if (kind === 'BatchNormalization') checkAxis(layer, [inputs].flat()[0]!);
    if (kind === 'Rescaling' && !isNeutral(layer) && [inputs].flat().some(isImages)) {
      throw refusal(
        layer,
        "images to be scaled only by the dataset's mean and deviation",
        'a Rescaling layer',
        'remove the layer',
      );
    }
  };
}

function checkAxis(layer: Layer, x: Tensor): void {
  const axis = Number(layer.getConfig()['axis']);
  if (axis === -1 || axis === x.rank - 1) return;
  throw refusal(layer, 'a batch norm over the last axis', `axis ${axis}`, 'put a Permute layer before and after it');
}

function isNeutral(layer: Layer): boolean {
  const { scale, offset } = layer.getConfig();
  return scale === 1 && offset === 0;
}

function refusal({ name }: Layer, expected: string, got: string, remedy: string): EngineError {
  const message = `compile: expected ${expected}, got ${got} in layer ${JSON.stringify(name)}; ${remedy}`;
  return new EngineError('UNSUPPORTED_MODEL', message, { context: { layer: name } });
}
