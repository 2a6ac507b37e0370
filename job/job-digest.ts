import { isDeepStrictEqual } from 'node:util';
import { folderFields, type JobSpec } from './spec.js';

/** The part of a spec that decides the weights. */
export type SpecIdentity = Omit<JobSpec, (typeof freeFields)[number] | 'data' | 'engine' | 'loss'> &
  Partial<Pick<JobSpec, 'loss'>> & {
    readonly data: Omit<JobSpec['data'], (typeof folderFields)[number]>;
    readonly engine: EngineIdentity;
  };
type EngineIdentity = Omit<JobSpec['engine'], 'device' | 'precision'> & Partial<JobSpec['engine']>;

/** Fields that change no bit of the weights, so that a run may go on with others. */
const freeFields = ['name', 'evaluation', 'minWorkers', 'numerics', 'audit', 'checkpoint'] as const;

/**
 * What the job digest is made from, besides model and data. Where an image folder lies is no part of it; what is made of
 * its images is in the dataset's digest. A loss, a device and a precision as they were before there were others are left
 * out, so that the digests of older jobs stay what they were.
 */
export function specIdentity(spec: JobSpec): SpecIdentity {
  const { loss, ...fields } = without(spec, freeFields);
  const data = without(spec.data, folderFields);
  const engine = engineIdentity(spec.engine);
  return isPlain(loss) ? { ...fields, data, engine } : { ...fields, loss, data, engine };
}

/** Which of a host's GPUs it is changes no bit. */
function engineIdentity({ device, precision, ...fields }: JobSpec['engine']): EngineIdentity {
  return {
    ...fields,
    ...(device === 'auto' ? {} : { device: device.split(':', 1)[0]! }),
    ...(precision === 'float32' ? {} : { precision }),
  };
}

function isPlain({ type, labelSmoothing }: JobSpec['loss']): boolean {
  return type === 'softmaxCrossEntropy' && labelSmoothing === 0;
}

function without<Section extends object, Field extends keyof Section>(
  section: Section,
  left: readonly Field[],
): Omit<Section, Field> {
  const fields = Object.entries(section).filter(([name]) => !(left as readonly string[]).includes(name));
  return Object.fromEntries(fields) as Omit<Section, Field>;
}

/** A field in which two specs differ; undefined where a spec has not got it. */
export interface SpecDifference {
  /** Dotted, e.g. `optimizer.learningRate`. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The identity fields in which two specs differ, in the order of the schema. */
export function identityDifferences(before: JobSpec, after: JobSpec): SpecDifference[] {
  return differences('', specIdentity(before), specIdentity(after));
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
