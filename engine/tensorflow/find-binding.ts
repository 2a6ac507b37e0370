import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** TF.js's native bindings, in the order in which they are looked for. */
export const bindings = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

export interface FoundBinding {
  readonly name: (typeof bindings)[number];
  /** Loads from where it is installed. */
  readonly require: NodeJS.Require;
}

/**
 * The binding that a worker would load, without loading it. Lockstep's own packages and those of `NODE_PATH` are
 * searched, but never the current directory, because a job may have been downloaded into it.
 * @param directory - another place to search.
 */
export function findBinding(directory?: string): FoundBinding | undefined {
  const places = [
    import.meta.url,
    ...(directory === undefined ? [] : [pathToFileURL(join(directory, 'here.js')).href]),
  ];
  for (const name of bindings) {
    const require = places.map((place) => createRequire(place)).find((from) => isThere(from, name));
    if (require) return { name, require };
  }
  return undefined;
}

function isThere(require: NodeJS.Require, name: string): boolean {
  try {
    return require.resolve(`${name}/package.json`) !== '';
  } catch {
    return false;
  }
}
