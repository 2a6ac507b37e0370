import { JobError } from '../../job/errors.js';
import { resolveSpec } from '../../job/resolve.js';
import { isModelFile, modelTitle } from '../../job/models.js';
import { specProblems } from '../../job/spec-problems.js';
import type { JobSpec } from '../../job/spec.js';
import { maxTopologyLength, type OperatorFields, operatorFieldsSchema } from '../resource/operator-fields.js';
import { maxSpec, type MeasuredSpec, type MeasuredTopology, type TrainingJob } from '../resource/training-job.js';
import { templateProblems } from '../resource/worker-template.js';
import { requestsGpus, withGpuDevice } from './gpu-workers.js';
import { identityOf, type JobIdentity } from './names.js';
import type { Settings } from './settings.js';

/** Titles that are valid as a ConfigMap's key. */
const titlePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
/** A ConfigMap is limited to 1 MiB, including the rest of the spec. */
const maxTopologyBytes = 1_000_000;

/** ConfigMap entry for the job's topology, which the operator doesn't store. */
export interface TopologyFile {
  /** Key of the entry. In the planned object, its value is only the digest. */
  readonly file: string;
  /** Digest of the topology, as in `MeasuredTopology`. */
  readonly sha256: string;
}

/** A job with a valid spec, and everything needed to build its objects. */
export interface JobContext {
  readonly identity: JobIdentity;
  readonly fields: OperatorFields;
  /** Spec for the coordinator, with the resource's name and all defaults. */
  readonly spec: JobSpec;
  /** The job's custom model; `spec.model` names its file. */
  readonly topology?: TopologyFile | undefined;
  readonly settings: Settings;
}

export type ReadJob =
  | { readonly context: JobContext; readonly problems?: undefined }
  /** All problems of the spec, one per line. */
  | { readonly context?: undefined; readonly problems: string };

/** Parses a job's spec. The CRD accepts some specs that the job spec's own rules reject. */
export function readJob(job: TrainingJob, settings: Settings): ReadJob {
  const { tooLarge, topology } = job.measured ?? {};
  if (tooLarge) return { problems: sizeProblem(tooLarge) };
  const problem = topology && topologyProblem(topology, job.spec.model);
  if (problem !== undefined) return { problems: `job spec: 1 problem\n  ${problem}` };
  const file = topology && { file: topologyFile(job.spec.model!), sha256: topology.sha256 };
  return readFields(job, settings, file);
}

function readFields(job: TrainingJob, settings: Settings, topology: TopologyFile | undefined): ReadJob {
  const identity = identityOf(job);
  const entries = Object.entries(job.spec);
  const isOurs = (key: string) => Object.hasOwn(operatorFieldsSchema.shape, key);
  const ours = Object.fromEntries(entries.filter(([key]) => isOurs(key)));
  const theirs = {
    ...Object.fromEntries(entries.filter(([key]) => !isOurs(key))),
    ...(topology && { model: `./${topology.file}` }),
  };
  const fields = operatorFieldsSchema.safeParse(ours);
  const refused = templateProblems(job.spec.workers?.template, { allowAny: settings.allowAnyTemplate ?? false });
  const isReadable = fields.success && refused.length === 0;
  const onGpus = isReadable && requestsGpus(fields.data.workers);
  const value = { ...(onGpus ? withGpuDevice(theirs) : theirs), name: identity.name };
  const spec = trySpec(value, job.spec.preset, topology !== undefined);
  if (isReadable && typeof spec !== 'string') {
    return { context: { identity, fields: fields.data, spec, topology, settings } };
  }
  const problems = fields.success ? [] : specProblems(fields.error.issues, operatorFieldsSchema, ours);
  const lines = [...problems, ...refused].map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  return { problems: [...(typeof spec === 'string' ? [spec] : ['job spec:']), ...lines].join('\n') };
}

function sizeProblem({ bytes, levels }: NonNullable<MeasuredSpec['tooLarge']>): string {
  return (
    `spec: expected at most ${maxSpec.bytes} bytes of JSON and ${maxSpec.levels} levels without the topology, ` +
    `got ${bytes} bytes and ${levels} levels; shorten workers.template`
  );
}

/** Problem of a topology that is passed on without parsing; undefined if there is none. */
function topologyProblem({ type, bytes }: MeasuredTopology, model: string | undefined): string | undefined {
  if (type !== 'string') {
    const advice = 'delete the job and apply it again with the JSON as text, see docs/guides/kubernetes.md';
    return `topology: expected the JSON as text, got ${type === 'other' ? 'a number' : `an ${type}`}; ${advice}`;
  }
  if (bytes > maxTopologyBytes) {
    return `topology: expected at most ${maxTopologyLength} characters, and ${maxTopologyBytes} bytes, got ${bytes} bytes`;
  }
  if (model !== undefined && titlePattern.test(model)) return undefined;
  const expected = 'a title for the topology, of 1 to 100 letters, digits, dots, dashes and underscores';
  return `model: expected ${expected}, got ${model === undefined ? 'nothing' : JSON.stringify(model.slice(0, 80))}`;
}

/** Named after the model's title, because the coordinator takes the title from the file name. */
function topologyFile(model: string): string {
  return `${modelTitle(model)}.json`;
}

function fileProblem(model: string): string {
  return (
    `job spec: 1 problem\n  model: expected a built-in model, or topology with its JSON, got the file ` +
    `${JSON.stringify(model)}, which does not exist in pods`
  );
}

/** @returns the spec, or a description of its problems. */
function trySpec(value: object, preset: string | undefined, hasTopology: boolean): JobSpec | string {
  try {
    const spec = resolveSpec({ preset, file: { value, locate: () => 'spec' } });
    return !hasTopology && isModelFile(spec.model) ? fileProblem(spec.model) : spec;
  } catch (error) {
    if (error instanceof JobError) return error.message.replaceAll(/ \(spec\)$/gm, '');
    throw error;
  }
}
