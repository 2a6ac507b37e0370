import { isAbsolute, join, resolve } from 'node:path';
import { isModelFile, isModelName } from '../job/models.js';
import type { JobSpec } from '../job/spec.js';
import type { SpecFile } from '../job/spec-text.js';

interface NamedPlaces {
  readonly model?: unknown;
  readonly topology?: unknown;
  readonly data?: unknown;
}

/** A spec file that lies in `directory`, with the places that it names as seen from there: its model and its data. */
export function seenFrom(directory: string, spec: SpecFile): SpecFile {
  const value = spec.value as NamedPlaces | null;
  if (typeof value !== 'object' || value === null) return spec;
  return { ...spec, value: { ...value, ...modelFrom(directory, value), ...dataFrom(directory, value.data) } };
}

function modelFrom(directory: string, { model, topology }: NamedPlaces): { readonly model?: string } {
  if (typeof model !== 'string' || topology !== undefined) return {};
  if (isModelName(model) || !isModelFile(model) || isAbsolute(model)) return {};
  return { model: join(directory, model) };
}

function dataFrom(directory: string, data: unknown): { readonly data?: object } {
  const path = (data as { readonly path?: unknown } | null | undefined)?.path;
  return typeof path === 'string' && path !== ''
    ? { data: { ...(data as object), path: resolve(directory, path) } }
    : {};
}

/**
 * The spec with an image folder's place as it is used: that of `--data` before its own, both as seen from here. It is
 * absolute, so that commands find the data of a run from wherever they are started.
 */
export function withDataPlace(spec: JobSpec, data: string | undefined): JobSpec {
  const path = data ?? spec.data.path;
  if (spec.data.dataset !== 'folder' || path === undefined) return spec;
  return { ...spec, data: { ...spec.data, path: resolve(path) } };
}
