import { arithmeticVersion } from '../../engine/arithmetic.js';
import type { JobManifest } from '../../job/manifest.js';
import { parseSpec } from '../../job/spec.js';

const digest = (digit: number) => digit.toString(16).repeat(64).slice(0, 64);

/**
 * A job of two shards with four samples each, two of them per step, and three test images in batches of two; without a
 * model, for tests without an engine.
 */
export function smallManifest(parameterCount: number): JobManifest {
  const spec = parseSpec({
    name: 'small',
    model: 'cnn3',
    epochs: 2,
    shards: 2,
    batchPerShard: 2,
    optimizer: { type: 'sgd', learningRate: 0.5, momentum: 0 },
    evaluation: { batch: 2 },
  });
  return {
    digest: digest(1),
    spec,
    arithmetic: arithmeticVersion,
    topology: {},
    parameterCount,
    stateCount: 1,
    dataset: {
      name: 'synthetic',
      title: 'none',
      synthetic: true,
      classes: ['a', 'b'],
      imageShape: [1, 1, 1],
      normalise: { mean: [0], deviation: [1] },
      digest: digest(2),
      trainSamples: 8,
      testSamples: 3,
    },
    shards: [3, 4].map((digit) => ({ digest: digest(digit), count: 4 })),
    evaluation: [
      { digest: digest(5), count: 2 },
      { digest: digest(6), count: 1 },
    ],
  };
}
