import { isAbsolute, join, resolve } from 'node:path';
import { isModelFile, isModelName } from '../../job/models.js';
import type { JobSpec } from '../../job/spec.js';
import type { SpecFile } from '../../job/spec-text.js';

interface SpecPaths {
  readonly model?: unknown;
  readonly topology?: unknown;
  readonly data?: unknown;
}

/** Rewrites a spec's model and data paths, which are relative to `directory`, for the current directory. */
export function relativeTo(directory: string, spec: SpecFile): SpecFile {
  const value = spec.value as SpecPaths | null;
  if (typeof value !== 'object' || value === null) return spec;
  return { ...spec, value: { ...value, ...modelFrom(directory, value), ...dataFrom(directory, value.data) } };
}

function modelFrom(directory: string, { model, topology }: SpecPaths): { readonly model?: string } {
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
 * Makes the path of a spec's image folder absolute, so later commands find a run's data from any directory. `--data`
 * overrides the spec's path; both are relative to the current directory.
 */
export function withDataPath(spec: JobSpec, data: string | undefined): JobSpec {
  const path = data ?? spec.data.path;
  if (spec.data.dataset !== 'folder' || path === undefined) return spec;
  return { ...spec, data: { ...spec.data, path: resolve(path) } };
}
