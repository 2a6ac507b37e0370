import { randomBytes } from 'node:crypto';
import type { V1Secret } from '@kubernetes/client-node';
import { makeCertificates } from '../../../proto/certificates.js';
import type { TlsIdentity } from '../../../proto/identity.js';
import { identityOf, namesOf } from '../plan/names.js';
import { secretObjects } from '../plan/objects/config.js';
import type { TrainingJob } from '../resource/training-job.js';
import { ApiError, hasCode } from './api-error.js';
import type { Api, ApiRequest } from './api.js';
import { fieldManager } from './field-manager.js';
import { isStillGood, pairOf, type SecretTexts, textOf } from './secret-decisions.js';
import { pathOf, secretResource } from './resources.js';

/** What the operator shows a job's coordinator: the workers' certificate and the token. */
export type JobIdentity = Omit<TlsIdentity, 'serverName'> & { readonly token: string };

/** As long as a job may take. They are renewed when the coordinator starts in their last third. */
const days = 1095;
const tokenBytes = 32;

/**
 * The Secrets of the jobs. The operator neither lists nor watches Secrets, so that it may not read everyone's: it gets
 * a job's own by their names when a coordinator is to be started or asked, and keeps what asking takes in memory.
 */
export class Secrets {
  readonly #identities = new Map<string, Promise<JobIdentity>>();

  constructor(
    private readonly api: Api,
    /** Aborted when this process must no longer act. */
    private readonly signal: AbortSignal,
  ) {}

  /**
   * Makes sure that they are there, of one CA, good for `hosts` and for long enough; else makes all anew.
   * @throws ApiError also where one of the names is somebody else's.
   */
  async ensure(job: TrainingJob, hosts: readonly string[]): Promise<void> {
    const { coordinatorTls, workerTls, token: tokenName } = namesOf(identityOf(job));
    const found = await this.#read(job, [coordinatorTls, workerTls, tokenName]);
    for (const secret of found) refuseForeign(job, secret);
    if (isStillGood(textsOf(job, found), hosts, Date.now())) return;
    const uid = job.metadata.uid ?? '';
    this.forget(uid);
    const certificates = await makeCertificates({ hosts, days, nowMs: Date.now() });
    const token = randomBytes(tokenBytes).toString('hex');
    for (const object of secretObjects(identityOf(job), certificates, token)) {
      await this.#write(
        object,
        found.find(({ metadata }) => metadata?.name === object.metadata?.name),
      );
    }
  }

  /** @throws ApiError where they are not there. */
  async identity(job: TrainingJob): Promise<JobIdentity> {
    const uid = job.metadata.uid ?? '';
    const identity = this.#identities.get(uid) ?? this.#readIdentity(job);
    this.#identities.set(uid, identity);
    return identity.catch((error: unknown) => {
      if (this.#identities.get(uid) === identity) this.#identities.delete(uid);
      throw error;
    });
  }

  forget(uid: string): void {
    this.#identities.delete(uid);
  }

  async #readIdentity(job: TrainingJob): Promise<JobIdentity> {
    const { workerTls, token: tokenName } = namesOf(identityOf(job));
    const found = await this.#read(job, [workerTls, tokenName]);
    const { worker, token } = textsOf(job, found);
    if (worker && token !== undefined) return { ca: worker.ca, cert: worker.cert, key: worker.key, token };
    const names = found.map(({ metadata }) => metadata?.name).join(', ');
    throw new ApiError(`secrets: expected those of ${job.metadata.name}, got ${names || 'none'}`, 404, 'NotFound');
  }

  async #read(job: TrainingJob, names: readonly string[]): Promise<V1Secret[]> {
    const found: V1Secret[] = [];
    for (const name of names) {
      const path = pathOf(secretResource, job.metadata.namespace, name);
      const request = { verb: 'get', resource: secretResource.plural, path, signal: this.signal } satisfies ApiRequest;
      const secret = await this.api.call<V1Secret>(request).catch((error: unknown) => {
        if (!hasCode(error, 404)) throw error;
      });
      if (secret) found.push(secret);
    }
    return found;
  }

  /** @param before - the one that is there already; another one in its place conflicts. */
  async #write(object: V1Secret, before: V1Secret | undefined): Promise<void> {
    const { namespace, name } = object.metadata ?? {};
    const uid = before?.metadata?.uid;
    const body = uid === undefined ? object : { ...object, metadata: { ...object.metadata, uid } };
    const resource = secretResource.plural;
    const request: ApiRequest =
      uid === undefined
        ? { verb: 'create', resource, path: pathOf(secretResource, namespace), query: { fieldManager }, body }
        : { verb: 'apply', resource, path: pathOf(secretResource, namespace, name), query: forced, body };
    await this.api.call({ ...request, signal: this.signal });
  }
}

const forced = { fieldManager, force: 'true' };

function textsOf(job: TrainingJob, found: readonly V1Secret[]): SecretTexts {
  const names = namesOf(identityOf(job));
  const named = (name: string) => found.find(({ metadata }) => metadata?.name === name);
  const token = textOf(named(names.token), 'token');
  return { coordinator: pairOf(named(names.coordinatorTls)), worker: pairOf(named(names.workerTls)), token };
}

function refuseForeign({ metadata: { uid } }: TrainingJob, { metadata }: V1Secret): void {
  if (metadata?.ownerReferences?.some((owner) => owner.controller && owner.uid === uid)) return;
  const advice = 'delete it, or give the job another name';
  throw new ApiError(
    `secrets: expected the name ${metadata?.name} free, got a Secret of another owner; ${advice}`,
    409,
    'Taken',
  );
}
