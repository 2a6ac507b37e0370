import type { ModelTopology } from './engine.js';
import { EngineError } from './errors.js';
import { type LayerJson, layersOf } from './topology.js';

/** Layers that draw random numbers in training; a trace would repeat one draw for ever. */
const randomLayers = new Set(['GaussianDropout', 'GaussianNoise', 'AlphaDropout']);
/** Layers whose random draw is an input of the program. */
const dropoutLayers = new Set(['Dropout', 'SpatialDropout1D']);

/**
 * Refuses models whose training would not be what their topology says.
 * @throws EngineError UNSUPPORTED_MODEL that names the layer.
 */
export function checkTopology(topology: ModelTopology): void {
  for (const layer of layersOf(topology)) {
    const problem = problemOf(layer);
    if (problem === undefined) continue;
    throw new EngineError('UNSUPPORTED_MODEL', `check model: ${problem}; layer ${JSON.stringify(layer.name)}`, {
      context: { layer: layer.name },
    });
  }
}

/** What is wrong with a layer, in the form "expected X, got Y; what to do"; undefined when it is fine. */
function problemOf({ className, config }: LayerJson): string | undefined {
  const rate = config['rate'] ?? config['stddev'];
  if (randomLayers.has(className) && rate !== 0) {
    return `expected no randomness but dropout's, got ${className} with rate ${String(rate)}; remove it`;
  }
  if (dropoutLayers.has(className) && !(typeof rate === 'number' && rate >= 0 && rate < 1)) {
    return `expected a dropout rate from 0 to below 1, got ${String(rate)}; correct it`;
  }
  const dilation = JSON.stringify(config['dilation_rate'] ?? 1);
  if (className === 'DepthwiseConv2D' && /[2-9]|1\d/.test(dilation)) {
    return `expected DepthwiseConv2D without dilation, which TF.js ignores, got ${dilation}; use SeparableConv2D`;
  }
  if (config['trainable'] === false) {
    return 'expected every layer to be trained, got trainable: false; set it to true';
  }
  const extra = Object.entries(config).find(
    ([key, value]) => /_(regularizer|constraint)$/.test(key) && value !== null && value !== undefined,
  );
  if (!extra) return undefined;
  return `expected a loss of cross-entropy alone, got ${extra[0]}; remove it, and use the optimizer's weightDecay`;
}
