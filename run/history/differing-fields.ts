import { isDeepStrictEqual } from 'node:util';

/** A field whose values differ between trees. */
export interface DifferingField {
  /** Dotted, e.g. `optimizer.learningRate`. */
  readonly path: string;
  /** One per tree, in order; undefined where the field is absent. */
  readonly values: readonly unknown[];
}

/** The fields in which trees, such as specs, differ; in order of first appearance. */
export function differingFields(trees: readonly unknown[]): DifferingField[] {
  return differing('', trees);
}

function differing(path: string, values: readonly unknown[]): DifferingField[] {
  if (values.every((value) => isDeepStrictEqual(value, values[0]))) return [];
  if (!values.every(isSection)) return [{ path, values }];
  const keys = new Set(values.flatMap((value) => Object.keys(value)));
  return [...keys].flatMap((key) =>
    differing(
      path === '' ? key : `${path}.${key}`,
      values.map((value) => value[key]),
    ),
  );
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
