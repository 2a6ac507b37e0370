import { isDeepStrictEqual } from 'node:util';
import { folderFields, type JobSpec } from './spec.js';

/** Fields of a spec that determine the weights. */
type DigestedSpec = Omit<JobSpec, (typeof freeFields)[number] | 'data' | 'engine' | 'loss'> &
  Partial<Pick<JobSpec, 'loss'>> & {
    readonly data: Omit<JobSpec['data'], (typeof folderFields)[number]>;
    readonly engine: DigestedEngine;
  };
type DigestedEngine = Pick<JobSpec['engine'], 'name'> & Partial<JobSpec['engine']>;

/** Fields that change no bit of the weights, so that a run may be resumed with other values. */
export const freeFields = ['name', 'evaluation', 'minWorkers', 'numerics', 'audit', 'checkpoint'] as const;

/**
 * Fields of a spec that enter the job digest, in addition to model and data. Image folders enter through the dataset's
 * digest instead. Loss, device and precision are omitted at their defaults, so that digests of jobs from before these
 * fields existed don't change.
 */
export function digestedSpec(spec: JobSpec): DigestedSpec {
  const { loss, ...fields } = without(spec, freeFields);
  const data = without(spec.data, folderFields);
  const engine = digestedEngine(spec.engine);
  return isDefaultLoss(loss) ? { ...fields, data, engine } : { ...fields, loss, data, engine };
}

/**
 * Omits what changes no bit: the GPU's index, and everything but the name with the native engine, whose bits the version
 * of the arithmetic determines.
 */
function digestedEngine({ device, precision, ...fields }: JobSpec['engine']): DigestedEngine {
  if (fields.name === 'native') return { name: fields.name };
  return {
    ...fields,
    ...(device === 'auto' ? {} : { device: device.split(':', 1)[0]! }),
    ...(precision === 'float32' ? {} : { precision }),
  };
}

function isDefaultLoss({ type, labelSmoothing }: JobSpec['loss']): boolean {
  return type === 'softmaxCrossEntropy' && labelSmoothing === 0;
}

function without<Section extends object, Field extends keyof Section>(
  section: Section,
  omitted: readonly Field[],
): Omit<Section, Field> {
  const fields = Object.entries(section).filter(([name]) => !(omitted as readonly string[]).includes(name));
  return Object.fromEntries(fields) as Omit<Section, Field>;
}

/** A field in which two specs differ; undefined in a spec without it. */
export interface SpecDifference {
  /** Dotted, e.g. `optimizer.learningRate`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Digested fields in which two specs differ, in the order of the schema. */
export function digestedDifferences(before: JobSpec, after: JobSpec): SpecDifference[] {
  return differences('', digestedSpec(before), digestedSpec(after));
}

function differences(path: string, before: unknown, after: unknown): SpecDifference[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (path === 'topology') return [{ path, before: before && 'one', after: after && 'another one' }];
  if (!isSection(before) || !isSection(after)) return [{ path, before, after }];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(path === '' ? key : `${path}.${key}`, before[key], after[key]));
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
