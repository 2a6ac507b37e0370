import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** TF.js's native bindings, in order of preference. */
export const bindings = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

export interface FoundBinding {
  readonly name: (typeof bindings)[number];
  /** `require` relative to its location. */
  readonly require: NodeJS.Require;
}

/**
 * Finds the binding that a worker would load, without loading it. Searches Lockstep's packages and `NODE_PATH`, never the
 * current directory, because it may contain a downloaded job.
 * @param directory - additional directory to search.
 */
export function findBinding(directory?: string): FoundBinding | undefined {
  const origins = [
    import.meta.url,
    ...(directory === undefined ? [] : [pathToFileURL(join(directory, 'here.js')).href]),
  ];
  for (const name of bindings) {
    const require = origins.map((origin) => createRequire(origin)).find((from) => isInstalled(from, name));
    if (require) return { name, require };
  }
  return undefined;
}

function isInstalled(require: NodeJS.Require, name: string): boolean {
  try {
    return require.resolve(`${name}/package.json`) !== '';
  } catch {
    return false;
  }
}
