import type { V1Secret } from '@kubernetes/client-node';
import { InvariantError } from '../../util/errors.js';
import { type Authority, createAuthority } from '../../transport/certificates.js';
import type { TlsIdentity } from '../../transport/tls-identity.js';
import { certificateDays } from '../plan/credentials.js';
import { identityOf } from '../plan/names.js';
import { secretObjects } from '../plan/objects/config.js';
import type { Action } from '../plan/types.js';
import type { TrainingJob } from '../resource/training-job.js';
import { hasCode } from './api-error.js';
import type { Api } from './api.js';
import { fieldManager } from './field-manager.js';
import { jobCaKeys, jobToken, keyIdOf } from './job-keys.js';
import { loadOperatorKey } from './operator-key.js';
import { pathOf, secretResource } from './resources.js';

/** Credentials for calls to a coordinator: the operator's certificate, the job's CA and token. */
export type JobIdentity = Omit<TlsIdentity, 'serverName'> & { readonly token: string };

/**
 * Certificates and tokens of the jobs. The operator creates their Secrets and never reads them. It derives everything it
 * needs to call a coordinator from its own key.
 */
export class Secrets {
  #key: Buffer | undefined;
  readonly #identities = new Map<string, Promise<JobIdentity>>();
  #making: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly api: Api,
    /** Aborted when this process must no longer act. */
    private readonly signal: AbortSignal,
  ) {}

  /** Loads the operator's key. Must be called first. @throws ApiError */
  async open(namespace: string, signal: AbortSignal): Promise<void> {
    this.#key = await loadOperatorKey(this.api, namespace, signal);
    // Loads the certificate library, which would delay the first jobs by several hundred milliseconds.
    await createAuthority({ days: 1, nowMs: Date.now() });
  }

  get keyId(): string {
    return keyIdOf(this.#operatorKey);
  }

  /**
   * Creates a job's Secrets. Existing ones stay unchanged: an earlier attempt created them with the same CA and token.
   * @throws ApiError
   */
  async ensure(job: TrainingJob, { credentials, hosts }: Extract<Action, { type: 'secrets' }>): Promise<void> {
    const { authority, token } = await this.#deriveFor(job);
    const [coordinator, worker] = [await authority.issueCoordinator(hosts), await authority.issueWorker()];
    const certificates = { ca: authority.certificate, coordinator, worker };
    for (const object of secretObjects(identityOf(job), credentials, certificates, token)) await this.#create(object);
  }

  /** Credentials to call a job's coordinator, cached until `forget`. */
  async identity(job: TrainingJob): Promise<JobIdentity> {
    const uid = job.metadata.uid ?? '';
    const identity = this.#identities.get(uid) ?? this.#makeSequentially(job);
    this.#identities.set(uid, identity);
    return identity.catch((error: unknown) => {
      if (this.#identities.get(uid) === identity) this.#identities.delete(uid);
      throw error;
    });
  }

  forget(uid: string): void {
    this.#identities.delete(uid);
  }

  get #operatorKey(): Buffer {
    if (!this.#key) throw new InvariantError("secrets: expected the operator's key loaded, got none");
    return this.#key;
  }

  /** Creates identities one at a time: hundreds at once, as after a restart, would block the event loop for seconds. */
  #makeSequentially(job: TrainingJob): Promise<JobIdentity> {
    const identity = this.#making.then(() => this.#makeIdentity(job));
    this.#making = identity.catch(() => undefined);
    return identity;
  }

  async #makeIdentity(job: TrainingJob): Promise<JobIdentity> {
    const { authority, token } = await this.#deriveFor(job);
    return { ca: authority.certificate, ...(await authority.issueWorker()), token };
  }

  async #deriveFor(job: TrainingJob): Promise<{ readonly authority: Authority; readonly token: string }> {
    const { uid } = identityOf(job);
    const keys = await jobCaKeys(this.#operatorKey, uid);
    const authority = await createAuthority({ keys, days: certificateDays, nowMs: Date.now() });
    return { authority, token: jobToken(this.#operatorKey, uid) };
  }

  async #create(object: V1Secret): Promise<void> {
    const path = pathOf(secretResource, object.metadata?.namespace);
    const request = { verb: 'create', resource: secretResource.plural, path, query: { fieldManager } } as const;
    await this.api.call({ ...request, body: object, signal: this.signal }).catch((error: unknown) => {
      if (!hasCode(error, 409) || error.reason !== 'AlreadyExists') throw error;
    });
  }
}
