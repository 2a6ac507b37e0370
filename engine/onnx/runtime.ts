import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** Directory of the package onnxruntime-node, an optional dependency; undefined if it isn't installed. */
export function runtimeDirectory(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  } catch {
    return undefined;
  }
}

/** The tested version, which package.json names too. */
const runtimePackage = 'onnxruntime-node@1.30.0';
const advice = `run npm install ${runtimePackage} in the folder where Lockstep is installed, or remove engine.name to compute on CPUs`;

/** Message about the missing package; undefined if it is installed. */
export function runtimeProblem(): string | undefined {
  if (runtimeDirectory() !== undefined) return undefined;
  return `expected the package ${runtimePackage}, got none; ${advice}`;
}

/** Message about a package that doesn't load. */
export function loadProblem({ message }: Error): string {
  return `expected the package ${runtimePackage} to load, got ${message.split('\n', 1)[0]}; ${advice}`;
}

/** e.g. `onnxruntime-node 1.30.0`; for a process that has loaded it. */
export function runtimeVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return `onnxruntime-node ${version}`;
}
