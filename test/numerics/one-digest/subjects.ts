import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ModelTopology, ProgramSpec } from '../../../engine/engine.js';
import { builtinTopology } from '../../../job/models.js';
import { families, modelOf } from '../../engine/layers/cases.js';

/** A model and a batch size, of which one digest is known. */
export interface Subject {
  readonly name: string;
  readonly spec: Omit<ProgramSpec, 'mode'>;
}

/** Images of a training step. Small, as emulators are slow. */
const smallBatch = 5;
/** More images than one group of the sums over images has. */
const largeBatch = 49;

function network(name: string, batch: number, pixels = 32): Subject {
  const [classes, imageShape] = [10, [pixels, pixels, 3] as const];
  const normalise = { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.243, 0.261] };
  const topology = builtinTopology(name, imageShape, classes);
  return {
    name: `${name}, ${batch} × ${pixels} × ${pixels}`,
    spec: { topology, imageShape, classes, normalise, batch },
  };
}

const imageShape = [8, 8, 2] as const;
const normalise = { mean: [0.5, 0.4], deviation: [0.2, 0.3] };

/** Layer tests that have most of the kernels among them. */
const layerTests: readonly (readonly [keyof typeof families, string])[] = [
  ['convolutions', 'conv2d of a block, dilation [1, 2], valid'],
  ['convolutions', 'separableConv2d'],
  ['convolutions', 'conv2dTranspose'],
  ['pools', 'maxPooling2d 3×3, stride 2, same'],
  ['pools', 'averagePooling2d 3×3, stride 2, same'],
  ['norms', 'layerNormalization of channels'],
  ['dropouts', 'two dropouts'],
  ['merges', 'residual block'],
  ['activations', 'gelu'],
  ['activations', 'prelu per channel'],
];

/** Topology with layers named by their position: TF.js numbers the models' layers of a process together. */
function numbered(model: LayersModel): ModelTopology {
  const text = JSON.stringify(model.toJSON(null, false));
  const renamed = model.layers.reduce((all, { name }, i) => all.replaceAll(`"${name}"`, `"layer${i}"`), text);
  return JSON.parse(renamed) as ModelTopology;
}

function layerTest(family: keyof typeof families, name: string): Subject {
  const body = families[family][name];
  if (body === undefined) throw new Error(`one digest: expected a layer test ${name} of ${family}, got none`);
  const topology = numbered(modelOf(body, imageShape));
  return { name, spec: { topology, imageShape, classes: 3, normalise, batch: smallBatch } };
}

export const quickSubjects: readonly Subject[] = [
  network('mlp', smallBatch),
  ...layerTests.map(([family, name]) => layerTest(family, name)),
];
export const smallNetworks = [
  network('cnn3', smallBatch),
  network('cnn4', smallBatch),
  network('resnet20', smallBatch, 16),
];
export const largeNetworks = ['cnn3', 'cnn4', 'resnet20'].map((name) => network(name, largeBatch));
