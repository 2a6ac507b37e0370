import type { ModelLayout, ModelTopology } from '../../engine/engine.js';
import { exportOnnx, exportTfjs } from '../../engine/onnx/export.js';
import { encodeSafetensors, type NamedTensor } from '../safetensors.js';
import { cardKey, type ModelCard } from '../../job/model-card.js';
import { namedTensors } from '../checkpoint/checkpoint-file.js';

/** A trained model: topology, weights, and the card that describes its use. */
export interface TrainedModel {
  readonly card: ModelCard;
  readonly topology: ModelTopology;
  readonly layout: ModelLayout;
  /** `[parameterCount]` */
  readonly params: Float32Array;
  /** Running statistics, `[stateCount]`. */
  readonly state: Float32Array;
}

export const modelFormats = ['tfjs', 'onnx', 'safetensors'] as const;
export type ModelFormat = (typeof modelFormats)[number];

/** A file of a model. */
export interface ModelFile {
  readonly name: 'model.json' | 'weights.bin' | 'model.onnx' | 'model.safetensors';
  readonly content: string | Uint8Array;
}

/** The files of a model in a format; all but `weights.bin` include the card. */
export async function modelFiles(model: TrainedModel, format: ModelFormat): Promise<ModelFile[]> {
  switch (format) {
    case 'tfjs':
      return tfjsFiles(model);
    case 'onnx':
      return [{ name: 'model.onnx', content: await onnxOf(model) }];
    case 'safetensors':
      return [{ name: 'model.safetensors', content: safetensorsOf(model) }];
    default:
      return format satisfies never;
  }
}

function tfjsFiles({ card, topology, layout, params, state }: TrainedModel): ModelFile[] {
  const { modelJson, weights } = exportTfjs(topology, layout, params, state);
  const content = `${JSON.stringify({ ...modelJson, userDefinedMetadata: { [cardKey]: card } }, null, 2)}\n`;
  return [
    { name: 'weights.bin', content: weights },
    { name: 'model.json', content },
  ];
}

/** The model as an ONNX file: u8 images in, log-probabilities out. Includes the topology, from which Lockstep reads it. */
async function onnxOf({ card, topology, params, state }: TrainedModel): Promise<Uint8Array> {
  const { imageShape, normalise } = card;
  const request = { topology, imageShape, classes: card.classes.length, normalise, params, state };
  const metadata = { [cardKey]: JSON.stringify(card), topology: JSON.stringify(topology) };
  return exportOnnx({ ...request, metadata });
}

/** Includes the topology, so that the file is a complete model. */
function safetensorsOf({ card, topology, layout, params, state }: TrainedModel): Uint8Array {
  const { job, step, dataset } = card;
  const described = { [cardKey]: JSON.stringify(card), topology: JSON.stringify(topology) };
  const metadata = { job, step: String(step), dataset: dataset.title, ...described };
  const tensors: NamedTensor[] = [
    ...namedTensors(layout.parameters, params, ''),
    ...namedTensors(layout.state, state, ''),
  ];
  return encodeSafetensors(tensors, metadata);
}
