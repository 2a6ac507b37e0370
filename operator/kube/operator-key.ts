import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Secret } from '@kubernetes/client-node';
import { ApiError, hasCode } from './api-error.js';
import type { Api } from './api.js';
import { type Backoff, backoffMs } from '../../util/backoff.js';
import { fieldManager } from './field-manager.js';
import { keyBytes } from './job-keys.js';
import { pathOf, secretResource } from './resources.js';

/** The only Secret that the operator reads; `roles.yaml` names it. */
export const keySecretName = 'lockstep-operator-key';
const field = 'key';
const backoff: Backoff = { firstMs: 500, maxMs: 10_000 };

/**
 * Reads the operator's key from its Secret in `namespace`; creates the Secret with a new key if there is none. Retries
 * while the API server can't be reached.
 * @throws ApiError without permission, or if the Secret has other content. @throws when `signal` is aborted.
 */
export async function loadOperatorKey(api: Api, namespace: string, signal: AbortSignal): Promise<Buffer> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await getOrCreate(api, namespace, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ApiError) || !error.retryable) throw error;
      await sleep(backoffMs(backoff, failures, Math.random()), undefined, { signal });
    }
  }
}

/** If two operators create the Secret at the same time, both use the first one's key. */
async function getOrCreate(api: Api, namespace: string, signal: AbortSignal): Promise<Buffer> {
  const resource = secretResource.plural;
  const get = () =>
    api.call<V1Secret>({ verb: 'get', resource, path: pathOf(secretResource, namespace, keySecretName), signal });
  const create = () => {
    const path = pathOf(secretResource, namespace);
    return api.call<V1Secret>({ verb: 'create', resource, path, query: { fieldManager }, body: newSecret(), signal });
  };
  try {
    return readKey(await get(), namespace);
  } catch (error) {
    if (!hasCode(error, 404)) throw error;
  }
  try {
    return readKey(await create(), namespace);
  } catch (error) {
    if (!hasCode(error, 409) || error.reason !== 'AlreadyExists') throw error;
  }
  return readKey(await get(), namespace);
}

function newSecret(): V1Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: {
      name: keySecretName,
      labels: { 'app.kubernetes.io/name': 'lockstep', 'app.kubernetes.io/component': 'operator' },
    },
    immutable: true,
    data: { [field]: randomBytes(keyBytes).toString('base64') },
  };
}

function readKey({ data }: V1Secret, namespace: string): Buffer {
  const text = data?.[field];
  const key = Buffer.from(text ?? '', 'base64');
  if (key.length === keyBytes) return key;
  const found = text === undefined ? 'none' : `${key.length} bytes`;
  throw new ApiError(
    `operator key: expected ${keyBytes} bytes under "${field}" in Secret ${namespace}/${keySecretName}, got ${found}; ` +
      'restore it from a backup, or delete it: the operator then creates a new one, ' +
      'and can follow running coordinators only after their next start',
    422,
    'BadKey',
  );
}
