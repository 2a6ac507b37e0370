import type { JobSpecInput } from './spec.js';

export type PresetName = 'lecture-cnn3' | 'lecture-cnn4' | 'lecture-sharded' | 'cluster-cnn3' | 'cluster-cnn4';

export interface Preset {
  /** One line for `--help`. */
  readonly summary: string;
  readonly spec: JobSpecInput;
}

/** The lecture's length and batch, with an optimizer for a batch of 49. */
const lecture = {
  epochs: 10,
  optimizer: { type: 'sgd', learningRate: 0.02, momentum: 0.9 },
  schedule: { type: 'cosine', warmupSteps: 100 },
} as const;

/** Five shards of 49 make a batch of 245, which permits a higher learning rate with warm-up and decay. */
const cluster = {
  shards: 5,
  batchPerShard: 49,
  epochs: 7,
  optimizer: { type: 'sgd', learningRate: 0.05, momentum: 0.9 },
  schedule: { type: 'cosine', warmupSteps: 50 },
} as const;

/** Built-in jobs. */
export const presets: Readonly<Record<PresetName, Preset>> = {
  'lecture-cnn3': {
    summary: "the lecture's network with three convolutions, one shard, batch 49",
    spec: { name: 'lecture-cnn3', model: 'cnn3', shards: 1, batchPerShard: 49, ...lecture },
  },
  'lecture-cnn4': {
    summary: "the lecture's network with four convolutions, one shard, batch 49",
    spec: { name: 'lecture-cnn4', model: 'cnn4', shards: 1, batchPerShard: 49, ...lecture },
  },
  'lecture-sharded': {
    summary: "the lecture's batch of 49 divided among five shards, for a cluster; three convolutions",
    spec: { name: 'lecture-sharded', model: 'cnn3', shards: 5, globalBatch: 49, ...lecture },
  },
  'cluster-cnn3': {
    summary: 'three convolutions, five shards with a batch of 49 each',
    spec: { name: 'cluster-cnn3', model: 'cnn3', ...cluster },
  },
  'cluster-cnn4': {
    summary: 'four convolutions, five shards with a batch of 49 each',
    spec: { name: 'cluster-cnn4', model: 'cnn4', ...cluster },
  },
};

export function isPresetName(name: string): name is PresetName {
  return Object.hasOwn(presets, name);
}
