import { EngineError } from '../errors.js';
import { brief } from './json.js';

/** Something in a topology that cannot be computed as it is written. */
export interface Fault {
  /** Where: key of a configuration, with the keys inside it, e.g. `kernel_initializer.seed`. */
  readonly key: string;
  /** In the form "expected `key` ‹expected›". */
  readonly expected: string;
  /** What is there; undefined when the key is missing. */
  readonly value: unknown;
  readonly remedy: string;
}

/** A fault and the layer that it is in. */
export interface LayerFault extends Fault {
  readonly layer: string;
  readonly className: string;
}

/** As many are named in one message. */
const most = 10;

/**
 * All faults of a model in one error.
 * @param faults - at least one.
 */
export function faultsError(faults: readonly LayerFault[]): EngineError {
  const lines = faults.slice(0, most).map(sentence);
  if (faults.length > most) lines.push(`and ${faults.length - most} more`);
  const list = lines.map((line) => `\n  ${line}`).join('');
  const message = lines.length === 1 ? lines[0]! : `${faults.length} problems${list}`;
  return new EngineError('UNSUPPORTED_MODEL', `check model: ${message}`, { context: { layer: faults[0]!.layer } });
}

function sentence({ key, expected, value, layer, className, remedy }: LayerFault): string {
  return `expected ${key} ${expected}, got ${brief(value)}; layer ${JSON.stringify(layer)} (${className}); ${remedy}`;
}
