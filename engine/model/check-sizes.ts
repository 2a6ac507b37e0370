import type { LayersModel } from '@tensorflow/tfjs-layers';
import { EngineError } from '../errors.js';
import { show } from '../ir/shape.js';
import { allLayers, type Layer } from './layers.js';

type Shape = readonly (number | null)[];

/**
 * Rejects models in which an inner model's input differs from its declared shape, or a layer's output is empty, for
 * example because a kernel is larger than its image. TF.js accepts both.
 * @throws EngineError UNSUPPORTED_MODEL that names the layer.
 */
export function checkSizes(model: LayersModel): void {
  allLayers(model).forEach(checkInnerInput);
  // Inner layers first, so that the error names them rather than the model around them.
  for (const layer of allLayers(model).reverse()) {
    const empty = layer.inboundNodes.find((node) => shapesOf(node.outputShapes).some(isEmpty));
    const isCause = empty !== undefined && !shapesOf(empty.inputShapes).some(isEmpty);
    if (isCause) throw emptyOutput(layer, empty);
  }
}

/** Rejects a call of an inner model with a shape other than the declared one, as Keras does; TF.js only warns. */
function checkInnerInput(layer: Layer): void {
  const { name, inboundNodes, inputs } = layer as Layer & { readonly inputs?: readonly { readonly shape: Shape }[] };
  const declared = inputs?.map(({ shape }) => shape) ?? [];
  for (const { inputShapes } of declared.length > 0 ? inboundNodes : []) {
    const wrong = shapesOf(inputShapes).find((shape, i) => declared[i] && !fits(shape, declared[i]));
    if (!wrong) continue;
    const [expected, got] = [declared, shapesOf(inputShapes)].map((shapes) =>
      shapes.map((shape) => show(shape.slice(1))).join(' and '),
    );
    throw new EngineError(
      'UNSUPPORTED_MODEL',
      `check model: expected inputs of the declared shape ${expected}, got ${got} in layer ${JSON.stringify(name)}; ` +
        'correct the batch_input_shape of its first layer',
      { context: { layer: name } },
    );
  }
}

function fits(shape: Shape, declared: Shape): boolean {
  return shape.length === declared.length && declared.every((size, axis) => size === null || size === shape[axis]);
}

function shapesOf(shapes: Shape | readonly Shape[]): readonly Shape[] {
  return (Array.isArray(shapes[0]) ? shapes : [shapes]) as readonly Shape[];
}

function isEmpty(shape: Shape): boolean {
  return shape.some((size) => size !== null && size < 1);
}

function emptyOutput({ name }: Layer, node: Layer['inboundNodes'][number]): EngineError {
  const [input, output] = [node.inputShapes, node.outputShapes].map((shapes) =>
    shapesOf(shapes)
      .map((shape) => show(shape.slice(1)))
      .join(' and '),
  );
  return new EngineError(
    'UNSUPPORTED_MODEL',
    `check model: expected every output to have at least 1 element per dimension, got ${output} from ${input} in layer ` +
      `${JSON.stringify(name)}; make its kernel, window or cropping smaller than its input`,
    { context: { layer: name } },
  );
}
