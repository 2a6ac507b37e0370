import { EngineError } from '../errors.js';
import { type Bounds, boundsOf } from '../ir/bounds.js';
import type { Node } from '../ir/node.js';

/** Relative rounding error allowed for a mean's factor 1/n. */
const tolerance = 1e-3;
/** Activations with a limit that interval arithmetic doesn't find. */
const limitedActivations: ReadonlySet<string> = new Set(['gelu', 'gelu_new', 'mish', 'selu', 'softsign', 'swish']);

/** The layer that made the logits, if known. */
export interface Ending {
  readonly layer: string | undefined;
  readonly activation: unknown;
}

/**
 * Checks that a model ends in logits, numbers of any size and sign: the loss applies the softmax. Probabilities would
 * get a second softmax and hardly train.
 * @returns advice if the logits are limited, else undefined.
 * @throws EngineError UNSUPPORTED_MODEL if they are probabilities or otherwise limited to 0 to 1.
 */
export function checkEnd(logits: Node, { layer, activation }: Ending): string | undefined {
  const known = boundsOf(logits);
  const bounds = known.get(logits)!;
  const place = layer === undefined ? '' : ` in layer ${JSON.stringify(layer)}`;
  if (bounds.low >= -tolerance && bounds.high <= 1 + tolerance)
    throw probabilities(activationIn(logits, known), layer, place);
  const values = isLimited(bounds)
    ? describe(bounds)
    : limitedActivations.has(String(activation))
      ? String(activation)
      : undefined;
  if (values === undefined) return undefined;
  return (
    `model: expected logits, which can have any value, at the end, got ${values}${place}; it trains, but worse than ` +
    'without the last activation'
  );
}

function isLimited({ low, high }: Bounds): boolean {
  return Number.isFinite(low) || Number.isFinite(high);
}

function describe({ low, high }: Bounds): string {
  const text = (limit: number) => String(Number(limit.toPrecision(4)));
  if (!Number.isFinite(high)) return `values of at least ${text(low)}`;
  if (!Number.isFinite(low)) return `values of at most ${text(high)}`;
  return `values from ${text(low)} to ${text(high)}`;
}

function probabilities(activation: string | undefined, layer: string | undefined, place: string): EngineError {
  const got = activation ?? 'values from 0 to 1';
  return new EngineError(
    'UNSUPPORTED_MODEL',
    `compile: expected a model that ends in logits, got one that ends in ${got}${place}, but the loss applies softmax ` +
      'itself; remove the last activation',
    layer === undefined ? {} : { context: { layer } },
  );
}

/** Softmax or sigmoid, if the logits are its values, possibly reshaped or combined. */
function activationIn(node: Node, known: ReadonlyMap<Node, Bounds>): 'softmax' | 'sigmoid' | undefined {
  if (node.op === 'softmax' || node.op === 'sigmoid') return node.op;
  const limited = node.inputs.filter((input) => Object.values(known.get(input)!).every(Number.isFinite));
  return limited.map((input) => activationIn(input, known)).find((found) => found !== undefined);
}
