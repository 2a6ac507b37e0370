/** Names of Lockstep's subjects, stream and buckets in NATS. Subjects contain the version of the payloads. */

export const eventStream = 'LOCKSTEP_EVENTS';
export const jobBucket = 'LOCKSTEP_JOBS';
export const runBucket = 'LOCKSTEP_RUNS';
/** The stream that holds the objects of `runBucket`. */
export const runStream = `OBJ_${runBucket}`;

/** Subjects of the event stream. */
export const allEvents = 'lockstep.v1.*.event.>';

/**
 * Names of jobs in NATS: one token of a subject, one key of the registry. Long enough for `NAMESPACE_NAME_UID`, the
 * operator's name for a job.
 */
export const jobNamePattern = /^[A-Za-z0-9_-]{1,160}$/;

/** A job of the operator: Kubernetes' names have no underscore. */
export interface OperatorJob {
  readonly namespace: string;
  readonly name: string;
}

/** The resource that a name in NATS belongs to; undefined for names of other runs. */
export function operatorJobOf(job: string): OperatorJob | undefined {
  const [, namespace, name] = /^([a-z0-9-]{1,63})_([a-z0-9-]{1,63})_[0-9a-f-]{36}$/.exec(job) ?? [];
  return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

export function eventSubject(job: string, type: string): string {
  return `lockstep.v1.${job}.event.${type}`;
}

export function metricsSubject(job: string): string {
  return `lockstep.v1.${job}.metrics`;
}

/** @param verb - a verb of the control requests, or `*`. */
export function controlSubject(job: string, verb: string): string {
  return `lockstep.v1.${job}.control.${verb}`;
}

/** Name of the object with a run's index. */
export function indexObject(job: string, runId: string): string {
  return `${job}/${runId}/index`;
}

/** Name of an object chunk: its content's digest, so that equal chunks are stored once. */
export function chunkObject(job: string, runId: string, sha256: string): string {
  return `${job}/${runId}/parts/${sha256}`;
}

/** Subject filter for the descriptions of all objects in `runBucket`. */
export const allInfos = `$O.${runBucket}.M.>`;

/** Subject of an object's description: its name in padded base64url. */
export function infoSubject(object: string): string {
  const encoded = Buffer.from(object).toString('base64url');
  return `$O.${runBucket}.M.${encoded.padEnd(Math.ceil(encoded.length / 4) * 4, '=')}`;
}

/** Name of the object that `infoSubject` describes. */
export function objectOf(infoSubject: string): string {
  return Buffer.from(infoSubject.slice(infoSubject.lastIndexOf('.') + 1), 'base64url').toString();
}

/** Subject of an object's content. */
export function contentSubject(nuid: string): string {
  return `$O.${runBucket}.C.${nuid}`;
}
