/** What Lockstep is called in NATS: subjects, stream and buckets. All carry the version of what is in them. */

export const eventStream = 'LOCKSTEP_EVENTS';
export const jobBucket = 'LOCKSTEP_JOBS';
export const runBucket = 'LOCKSTEP_RUNS';

/** Subjects that the stream keeps. */
export const allEvents = 'lockstep.v1.*.event.>';

/** Names of jobs in NATS: one token of a subject, one key of the registry. */
export const jobNamePattern = /^[A-Za-z0-9_-]{1,64}$/;

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

/** The object that says which files a run has in the object store, and of which parts they are made. */
export function indexObject(job: string, runId: string): string {
  return `${job}/${runId}/index`;
}

/** A part of a file, named by its content, so that it is sent once only. */
export function partObject(job: string, runId: string, sha256: string): string {
  return `${job}/${runId}/parts/${sha256}`;
}
