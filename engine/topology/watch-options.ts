import { type LayerFault } from './fault.js';
import { inLayer, optionFaults } from './check-layers.js';

type Maker = (options?: unknown) => unknown;
type Makers = Readonly<Record<string, unknown>>;

/**
 * TF.js's functions that make layers (`tf.layers`), which report options that TF.js would drop without a word.
 * @param report - gets the faults of each layer once it is made.
 */
export function watchOptions<T extends object>(makers: T, report: (faults: readonly LayerFault[]) => void): T {
  const watched = Object.entries(makers as Makers).map(([name, make]) => {
    if (typeof make !== 'function') return [name, make] as const;
    return [name, (options?: unknown) => reported((make as Maker)(options), options, report)] as const;
  });
  return Object.fromEntries(watched) as T;
}

interface Layer {
  readonly name: string;
  getClassName(): string;
}

function reported(made: unknown, options: unknown, report: (faults: readonly LayerFault[]) => void): unknown {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return made;
  const { name, getClassName } = made as Partial<Layer>;
  if (name === undefined || typeof getClassName !== 'function') return made;
  const layer = { path: name, name, className: (made as Layer).getClassName(), config: {}, entry: {} };
  report(optionFaults(layer.className, options as Makers).map((fault) => inLayer(layer, fault)));
  return made;
}
