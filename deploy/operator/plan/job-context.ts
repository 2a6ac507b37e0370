import { JobError } from '../../../job/errors.js';
import { resolveSpec } from '../../../job/resolve.js';
import { isModelFile } from '../../../job/models.js';
import { specProblems } from '../../../job/spec-problems.js';
import type { JobSpec } from '../../../job/spec.js';
import { type OperatorFields, operatorFieldsSchema } from '../resource/operator-fields.js';
import type { TrainingJob } from '../resource/training-job.js';
import { templateProblems } from '../resource/worker-template.js';
import { asksForGpus, withGpuDevice } from './gpu-workers.js';
import { identityOf, type JobIdentity } from './names.js';
import type { Settings } from './types.js';

/** A job whose spec makes sense, with all that its objects are built from. */
export interface JobContext {
  readonly identity: JobIdentity;
  readonly fields: OperatorFields;
  /** With the resource's name and every default; what the coordinator reads. */
  readonly spec: JobSpec;
  readonly settings: Settings;
}

export type ReadJob =
  | { readonly context: JobContext; readonly problems?: undefined }
  /** In words, several lines: everything that is wrong. */
  | { readonly context?: undefined; readonly problems: string };

/** Reads a job's spec; the CRD lets some through that the job spec's own rules do not. */
export function readJob(job: TrainingJob, settings: Settings): ReadJob {
  const identity = identityOf(job);
  const entries = Object.entries(job.spec);
  const isOurs = (key: string) => Object.hasOwn(operatorFieldsSchema.shape, key);
  const ours = Object.fromEntries(entries.filter(([key]) => isOurs(key)));
  const theirs = Object.fromEntries(entries.filter(([key]) => !isOurs(key)));
  const fields = operatorFieldsSchema.safeParse(ours);
  const refused = templateProblems(job.spec.workers?.template, { allowAny: settings.allowAnyTemplate ?? false });
  const isReadable = fields.success && refused.length === 0;
  const onGpus = isReadable && asksForGpus(fields.data.workers);
  const spec = trySpec({ ...(onGpus ? withGpuDevice(theirs) : theirs), name: identity.name }, job.spec.preset);
  if (isReadable && typeof spec !== 'string') return { context: { identity, fields: fields.data, spec, settings } };
  const problems = fields.success ? [] : specProblems(fields.error.issues, operatorFieldsSchema, ours);
  const lines = [...problems, ...refused].map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  return { problems: [...(typeof spec === 'string' ? [spec] : ['job spec:']), ...lines].join('\n') };
}

function fileProblem(model: string): string {
  return (
    `job spec: 1 problem\n  model: expected a built-in model, or topology with its JSON, got the file ` +
    `${JSON.stringify(model)}, which no pod has`
  );
}

/** The spec, or what is wrong with it. */
function trySpec(value: object, preset: string | undefined): JobSpec | string {
  try {
    const spec = resolveSpec({ preset, file: { value, locate: () => 'spec' } });
    return spec.topology === undefined && isModelFile(spec.model) ? fileProblem(spec.model) : spec;
  } catch (error) {
    if (error instanceof JobError) return error.message.replaceAll(/ \(spec\)$/gm, '');
    throw error;
  }
}
