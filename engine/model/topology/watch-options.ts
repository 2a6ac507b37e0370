import { inLayer, optionFaults } from './check-layers.js';
import type { LayerFault } from './fault.js';
import { isObject, type Json } from './json.js';

type Maker = (options?: unknown) => unknown;

/**
 * Wraps TF.js's functions that make layers (`tf.layers`) to report options that TF.js would silently drop.
 * @param report - called with the faults of each layer once it is made.
 */
export function watchOptions<T extends object>(makers: T, report: (faults: readonly LayerFault[]) => void): T {
  const watched = Object.entries(makers).map(([name, make]) => {
    if (typeof make !== 'function') return [name, make] as const;
    const watchedMake = (options?: unknown) => {
      // TF.js modifies its argument.
      const given = isObject(options) ? { ...options } : undefined;
      const made = (make as Maker)(options);
      if (given && isLayer(made)) report(faultsOf(made, given));
      return made;
    };
    return [name, watchedMake] as const;
  });
  return Object.fromEntries(watched) as T;
}

interface Layer {
  readonly name: string;
  getClassName(): string;
}

function faultsOf(layer: Layer, options: Json): LayerFault[] {
  const { name } = layer;
  const place = { path: name, name, className: layer.getClassName(), config: {}, entry: {} };
  return optionFaults(place.className, options).map((fault) => inLayer(place, fault));
}

function isLayer(value: unknown): value is Layer {
  return isObject(value) && typeof value['getClassName'] === 'function' && typeof value['name'] === 'string';
}
