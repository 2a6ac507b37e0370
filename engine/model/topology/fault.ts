import { EngineError } from '../../errors.js';
import { brief } from './json.js';

/** A part of a topology that cannot be computed as written. */
export interface Fault {
  /** Key of the configuration, with the keys inside it, e.g. `kernel_initializer.seed`. */
  readonly key: string;
  /** Completes "expected `key` …" in the message. */
  readonly expected: string;
  /** The value found; undefined if the key is missing. */
  readonly value: unknown;
  readonly remedy: string;
}

/** A fault with its layer. */
export interface LayerFault extends Fault {
  readonly layer: string;
  readonly className: string;
}

/** Faults listed in one message. */
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
