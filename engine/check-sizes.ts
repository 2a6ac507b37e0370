import type { LayersModel } from '@tensorflow/tfjs-layers';
import { EngineError } from './errors.js';
import { show } from './ir/shape.js';
import { allLayers, type Layer } from './model-layers.js';

type Shape = readonly (number | null)[];

/**
 * Refuses models in which a layer's output is empty, as with a kernel larger than its image. TF.js loads them, and the
 * layers that follow compute with nothing.
 * @throws EngineError UNSUPPORTED_MODEL that names the layer.
 */
export function checkSizes(model: LayersModel): void {
  // Inner layers come last, so that the error names them rather than the model that holds them.
  for (const layer of allLayers(model).reverse()) {
    const empty = layer.inboundNodes.find((node) => shapesOf(node.outputShapes).some(isEmpty));
    const isCause = empty !== undefined && !shapesOf(empty.inputShapes).some(isEmpty);
    if (isCause) throw emptyOutput(layer, empty);
  }
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
    `check model: expected every output to have at least 1 element a side, got ${output} from ${input} in layer ` +
      `${JSON.stringify(name)}; make its kernel, window or cropping smaller than its input`,
    { context: { layer: name } },
  );
}
