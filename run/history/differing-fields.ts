import { isDeepStrictEqual } from 'node:util';

/** A field in which some of several things differ. */
export interface DifferingField {
  /** Dotted, e.g. `optimizer.learningRate`. */
  readonly path: string;
  /** One for each thing, in their order; undefined where it has not got the field. */
  readonly values: readonly unknown[];
}

/** The fields in which specs, or other trees, are not all equal; in the order of the first that has them. */
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
