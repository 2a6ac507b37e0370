import { JobError } from './errors.js';
import { didYouMean, nearest } from './hint.js';
import { isPresetName, presets } from './presets.js';
import type { SpecPath } from './spec-problems.js';
import { parseSetting, type SpecFile } from './spec-text.js';
import { parseSpec, type JobSpec } from './spec.js';

/** Where a spec comes from; each one overrides those before it. */
export interface SpecSources {
  readonly preset?: string | undefined;
  readonly file?: SpecFile | undefined;
  /** `path=value`, e.g. `optimizer.learningRate=0.02`; the value is YAML. */
  readonly sets?: readonly string[] | undefined;
}

type Section = Readonly<Record<string, unknown>>;

/** The schema needs a type to choose by; so settings like `optimizer.momentum` also work where nobody gave one. */
const defaultTypes: Section = {
  optimizer: { type: 'sgd' },
  schedule: { type: 'constant' },
  loss: { type: 'softmaxCrossEntropy' },
};

/**
 * The complete spec of a job from preset, file and settings.
 *
 * Sections are merged key by key, with exceptions, because the old keys would be left over: another `type` replaces its
 * whole section, `batchPerShard` replaces `globalBatch` and the other way round, and `model` replaces `topology`, which
 * itself is taken as a whole.
 * @throws JobError BAD_SPEC with every problem, and the file's lines for what the file says.
 */
export function resolveSpec({ preset, file, sets = [] }: SpecSources): JobSpec {
  const settings = sets.map(parseSetting);
  const set = settings.reduce<unknown>((sum, { path, value }) => mergeKeys(sum, nest(path, value)), {});
  const layers = [defaultTypes, preset === undefined ? {} : presetSpec(preset), file ? fileSection(file) : {}, set];
  return parseSpec(layers.reduce(override), (path) => locate(path, settings, file));
}

function presetSpec(name: string): unknown {
  if (isPresetName(name)) return presets[name].spec;
  const names = Object.keys(presets);
  throw new JobError(
    'BAD_SPEC',
    `preset: expected one of ${names.join(', ')}, got ${JSON.stringify(name)}${didYouMean(nearest(name, names))}`,
  );
}

/** An empty file says nothing, which is no mistake where a preset or settings say the rest. */
function fileSection(file: SpecFile): Section {
  const { value } = file;
  if (value === null) return {};
  if (isSection(value)) return value;
  throw new JobError(
    'BAD_SPEC',
    `spec file: expected keys and values, got ${JSON.stringify(value)} (${file.locate([])})`,
  );
}

/** Who is to blame for the value at `path`: a setting, else a place in the file, else nobody in particular. */
function locate(
  path: SpecPath,
  settings: readonly { readonly path: readonly string[] }[],
  file: SpecFile | undefined,
): string | undefined {
  const isAbout = (setting: SpecPath) => setting.every((key, depth) => depth >= path.length || path[depth] === key);
  const setting = path.length === 0 ? undefined : settings.findLast((candidate) => isAbout(candidate.path));
  return setting ? `--set ${setting.path.join('.')}` : file?.locate(path);
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value);
}

/** `over` on top of `base`, with the exceptions of `resolveSpec`. */
function override(base: unknown, over: unknown): unknown {
  if (!isSection(base) || !isSection(over)) return over;
  const kept = withoutReplaced(base, over);
  const changed = Object.entries(over).map(([key, value]): [string, unknown] => [
    key,
    key === 'topology' ? value : overrideSection(kept[key], value),
  ]);
  return { ...kept, ...Object.fromEntries(changed) };
}

function overrideSection(base: unknown, over: unknown): unknown {
  const isOtherType = isSection(base) && isSection(over) && over.type !== undefined && over.type !== base.type;
  return isOtherType ? over : override(base, over);
}

/** Keys of which one replaces the others. */
const alternatives: readonly (readonly string[])[] = [
  ['batchPerShard', 'globalBatch'],
  ['model', 'topology'],
];

/** `base` without the keys that have an alternative in `over`. */
function withoutReplaced(base: Section, over: Section): Section {
  const replaced = alternatives.filter((keys) => keys.some((key) => Object.hasOwn(over, key))).flat();
  return Object.fromEntries(Object.entries(base).filter(([key]) => !replaced.includes(key)));
}

function mergeKeys(base: unknown, over: unknown): unknown {
  if (!isSection(base) || !isSection(over)) return over;
  const merged = Object.entries(over).map(([key, value]): [string, unknown] => [key, mergeKeys(base[key], value)]);
  return { ...base, ...Object.fromEntries(merged) };
}

function isSection(value: unknown): value is Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
