import { EngineError } from '../errors.js';
import { type Bounds, boundsOf } from '../ir/bounds.js';
import type { Node } from '../ir/node.js';

/** Relative rounding error allowed for a mean's factor 1/n. */
const tolerance = 1e-3;
/** Bounded activations that interval arithmetic doesn't recognize. */
const limitedActivations: ReadonlySet<string> = new Set(['gelu', 'gelu_new', 'mish', 'selu', 'softsign', 'swish']);

/** Layer that computes the logits, if known, and its activation. */
export interface LogitsSource {
  readonly layer: string | undefined;
  readonly activation: unknown;
}

/**
 * Checks that a model ends in logits, numbers of any size and sign. The loss applies softmax; to probabilities it would
 * apply a second one, and the model would hardly train.
 * @returns advice if the logits are bounded, otherwise undefined.
 * @throws EngineError UNSUPPORTED_MODEL if they are probabilities or otherwise within 0 to 1.
 */
export function checkLogits(logits: Node, { layer, activation }: LogitsSource): string | undefined {
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
    `model: expected unbounded logits as output, got ${values}${place}; the model may train worse; ` +
    'remove the last activation'
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
    `compile: expected a model that ends in logits, because the loss applies softmax, got ${got}${place}; ` +
      'remove the last activation',
    layer === undefined ? {} : { context: { layer } },
  );
}

/** Activation that computes the logits, directly or before reshaping and combining. */
function activationIn(node: Node, known: ReadonlyMap<Node, Bounds>): 'softmax' | 'sigmoid' | undefined {
  if (node.op === 'softmax' || node.op === 'sigmoid') return node.op;
  const limited = node.inputs.filter((input) => Object.values(known.get(input)!).every(Number.isFinite));
  return limited.map((input) => activationIn(input, known)).find((found) => found !== undefined);
}
