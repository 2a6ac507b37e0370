import { JobError } from './errors.js';
import { schemasAt } from './expected.js';
import { didYouMean, nearest } from '../util/hint.js';
import { isPresetName, presets } from './presets.js';
import { inputSchema, type SpecPath } from './spec-problems.js';
import { parseSetting, type Setting, type SpecFile } from './spec-text.js';
import { jobSpecSchema, parseSpec, type JobSpec } from './spec.js';

/** Sources of a spec; each overrides those before it. */
export interface SpecSources {
  readonly preset?: string | undefined;
  readonly file?: SpecFile | undefined;
  readonly flags?: readonly SpecFlag[] | undefined;
  /** `path=value`, e.g. `optimizer.learningRate=0.02`; the value is YAML, or text for a text field. */
  readonly sets?: readonly string[] | undefined;
}

/** A field set by a flag of its own, such as `--epochs`. */
interface SpecFlag {
  readonly flag: string;
  readonly path: readonly string[];
  readonly value: unknown;
}

/** A field set on the command line. */
interface Change {
  readonly path: readonly string[];
  readonly value: unknown;
  /** The source for messages: `--epochs` or `--set epochs`. */
  readonly origin: string;
}

type Section = Readonly<Record<string, unknown>>;

/** Default types, so that settings such as `optimizer.momentum` work without `optimizer.type`. */
const defaultTypes: Section = {
  optimizer: { type: 'sgd' },
  schedule: { type: 'constant' },
  loss: { type: 'softmaxCrossEntropy' },
};

/**
 * Complete spec of a job from preset, file and settings.
 *
 * Sections are merged key by key, except where old keys would remain: another `type` replaces its whole section,
 * `batchPerShard` replaces `globalBatch` and vice versa, and `model` replaces `topology`, which is never merged.
 * @throws JobError BAD_SPEC that lists every problem with its flag or its line in the file.
 */
export function resolveSpec({ preset, file, flags = [], sets = [] }: SpecSources): JobSpec {
  const changes = [...flags.map(fromFlag), ...sets.map(parseSetting).map(fromSetting)];
  const set = changes.reduce<unknown>((sum, { path, value }) => mergeKeys(sum, nest(path, value)), {});
  const layers = [defaultTypes, preset === undefined ? {} : presetSpec(preset), file ? fileSection(file) : {}, set];
  return parseSpec(layers.reduce(override), (path) => locate(path, changes, file));
}

function fromFlag({ flag, path, value }: SpecFlag): Change {
  return { path, value, origin: flag };
}

/** Change by one `--set`. A plain word such as `20260131` or `true` is text if the field is text. */
function fromSetting({ path, value, plain }: Setting): Change {
  const isText = plain !== undefined && typeof value !== 'string' && wantsText(path);
  return { path, value: isText ? plain : value, origin: `--set ${path.join('.')}` };
}

function wantsText(path: SpecPath): boolean {
  const schemas = schemasAt(inputSchema(jobSpecSchema), path);
  return schemas.length > 0 && schemas.every(({ type }) => type === 'string');
}

function presetSpec(name: string): unknown {
  if (isPresetName(name)) return presets[name].spec;
  const names = Object.keys(presets);
  throw new JobError(
    'BAD_SPEC',
    `preset: expected one of ${names.join(', ')}, got ${JSON.stringify(name)}${didYouMean(nearest(name, names))}`,
  );
}

/** Contents of a spec file; an empty file is valid, because a preset or settings may set everything. */
function fileSection(file: SpecFile): Section {
  const { value } = file;
  if (value === null) return {};
  if (isSection(value)) return withoutHolders(value, file.shared ?? []);
  throw new JobError(
    'BAD_SPEC',
    `spec file: expected keys and values, got ${JSON.stringify(value)} (${file.locate([])})`,
  );
}

/**
 * A spec without the keys that only hold values for use elsewhere in the file. A key that looks like a misspelled field
 * is kept, so that it is rejected.
 */
function withoutHolders(spec: Section, shared: readonly string[]): Section {
  const isHolder = (key: string) => shared.includes(key) && nearest(key, Object.keys(jobSpecSchema.shape)).length === 0;
  return Object.fromEntries(Object.entries(spec).filter(([key]) => !isHolder(key)));
}

/** Source of the value at `path`: a flag or setting, else a position in the file, else undefined. */
function locate(path: SpecPath, changes: readonly Change[], file: SpecFile | undefined): string | undefined {
  if (path.length === 0) return file?.locate(path);
  const exact = changes.findLast((change) => isAbout(change.path, path));
  return (exact ?? changes.findLast((change) => isTypeOf(change.path, path)))?.origin ?? file?.locate(path);
}

/** True if a value set at `change` equals, contains or is contained in the one at `path`. */
function isAbout(change: SpecPath, path: SpecPath): boolean {
  return change.every((key, depth) => depth >= path.length || path[depth] === key);
}

/** True if `change` sets the type of the section at `path`, which decides its fields. */
function isTypeOf(change: SpecPath, path: SpecPath): boolean {
  return change.at(-1) === 'type' && path.length >= change.length && isAbout(change.slice(0, -1), path);
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, key) => ({ [key]: inner }), value);
}

/** Merges `over` into `base`, with the exceptions of `resolveSpec`. */
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
