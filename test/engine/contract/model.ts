import type { MaskInfo, ModelTopology, ProgramInput, ProgramSpec, TrainProgram } from '../../../engine/engine.js';
import { initialWeights } from '../../../engine/model/model.js';
import { drawMasks } from '../../../job/dropout.js';
import { normalise } from '../layers/oracle.js';
import { conv, dense, flatten, type LayerJson, norm, sequential } from '../topologies.js';

/**
 * The model that every engine runs in the contract, and its inputs. `float64.ts` has the same model written out by
 * hand.
 */

export const imageShape = [6, 6, 2] as const;
export const classes = 3;
/** One whole block of images and a remainder, whatever the block size of direct convolutions. */
export const batch = 18;
/** As in the last step of an epoch. */
export const smallerBatch = 4;

const relu: LayerJson = { class_name: 'ReLU', config: { name: 'relu' } };
const pool: LayerJson = { class_name: 'MaxPooling2D', config: { name: 'pool', pool_size: [2, 2], strides: [2, 2] } };
const drop: LayerJson = { class_name: 'Dropout', config: { name: 'drop', rate: 0.5 } };

/** One block of filters, so that engines that have direct convolutions use them. */
export const topology: ModelTopology = sequential(imageShape, [
  conv({ name: 'conv1', filters: 16 }),
  norm,
  relu,
  pool,
  drop,
  conv({ name: 'conv2', filters: 16, padding: 'valid', activation: 'relu' }),
  flatten,
  dense({}),
]);

export const common = { topology, imageShape, classes, normalise, batch } satisfies Omit<ProgramSpec, 'mode'>;

/** The masks that the model's training program takes. */
export function masksFor(samples: number): MaskInfo[] {
  return [{ name: 'drop', shape: [samples, 3, 3, 16], size: samples * 144, rate: 0.5 }];
}

/**
 * Inputs for `count` samples; weights are moved slightly, as biases and shifts begin at 0, and statistics at 0 and 1.
 */
export async function inputFor(program: Pick<TrainProgram, 'masks'>, count = batch): Promise<ProgramInput> {
  const { params, state } = await initialWeights(topology, 3);
  return {
    params: params.map((w, i) => w + 0.1 * Math.sin(i + 1)),
    state: state.map((s, i) => s + 0.3 * Math.abs(Math.sin(i + 1))),
    images: Uint8Array.from({ length: count * 72 }, (_, i) => (i * 37 + ((i * i) % 91)) % 256),
    labels: Int32Array.from({ length: count }, (_, i) => (i * i) % classes),
    masks: drawMasks(program.masks, { seed: 1, step: 2, shard: 3 }),
  };
}
