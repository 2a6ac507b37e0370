import { createECDH, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import type { V1Secret } from '@kubernetes/client-node';
import { afterEach, describe, expect, it } from 'vitest';
import { certificateHosts, identityOf, secretNamesOf } from '../../../operator/plan/names.js';
import { Api } from '../../../operator/kube/api.js';
import { Connector } from '../../../operator/kube/connection.js';
import { jobCaKeys, jobToken, keyIdOf } from '../../../operator/kube/job-keys.js';
import { keySecretName } from '../../../operator/kube/operator-key.js';
import { type JobIdentity, Secrets } from '../../../operator/kube/secrets.js';
import type { TrainingJob } from '../../../operator/resource/training-job.js';
import { clientTls, isTrusted, mutualTls } from '../../../transport/tls.js';
import { within } from '../../proto/wire.js';
import { refusal, ScriptedServer, send } from '../api-stub.js';
import { makeJob } from '../objects.js';

const key = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
const uid = '0f8fad5b-d9cb-469f-a165-70867728950e';
const operatorNamespace = 'lockstep-system';
const job: TrainingJob = { ...makeJob(), metadata: { name: 'cifar10', namespace: 'ml', uid } };
const action = { type: 'secrets', credentials: 'abc', hosts: certificateHosts(identityOf(job)) } as const;

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** An API server with Secrets, and operators that use it. */
class Stage {
  readonly stored = new Map<string, V1Secret>();
  /** Called before a Secret is created. */
  onCreate: () => void = () => undefined;
  /** Reason for which no Secret can be created, though its name is free. */
  conflict: string | undefined;
  readonly server = new ScriptedServer((request, response, url) => {
    void bodyOf(request).then((body) => {
      const found = this.stored.get(url.pathname);
      if (request.method === 'GET')
        return found ? send(response, found) : send(response, refusal(404, 'NotFound'), 404);
      const path = `${url.pathname}/${body?.metadata?.name}`;
      this.onCreate();
      const reason = this.conflict ?? (this.stored.has(path) ? 'AlreadyExists' : undefined);
      if (reason !== undefined) return send(response, refusal(409, reason), 409);
      this.stored.set(path, body!);
      return send(response, body!, 201);
    });
  });

  async operator(): Promise<Secrets> {
    const connector = new Connector(this.#config ?? (this.#config = await this.server.start()));
    cleanups.push(() => connector.close());
    return new Secrets(new Api(connector), new AbortController().signal);
  }

  /** With the key in its Secret. */
  async opened(): Promise<Secrets> {
    const secrets = await this.operator();
    await secrets.open(operatorNamespace, new AbortController().signal);
    return secrets;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  #config: Awaited<ReturnType<ScriptedServer['start']>> | undefined;
}

async function bodyOf(request: IncomingMessage): Promise<V1Secret | undefined> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk as string;
  return text === '' ? undefined : (JSON.parse(text) as V1Secret);
}

function stage(): Stage {
  const made = new Stage();
  cleanups.push(() => made.close());
  return made;
}

const pathOfSecret = (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/secrets/${name}`;
const keyPath = pathOfSecret(operatorNamespace, keySecretName);
const keySecret = (bytes: Buffer): V1Secret => ({ data: { key: bytes.toString('base64') } });
const textOf = (secret: V1Secret | undefined, name: string) =>
  Buffer.from(secret?.data?.[name] ?? '', 'base64').toString('utf8');

describe('credentials derived from the operator’s key', () => {
  // Computed with Python's hmac and hashlib, and P-256 from its equation: HKDF-SHA256 without salt, info as in
  // `job-keys.ts`.
  it('match another implementation: the key’s id, a job’s token, the public key of its CA', async () => {
    expect(keyIdOf(key)).toBe('60bb66e9');
    expect(jobToken(key, uid)).toBe('ea7610761cd9b5d21cec87a87b28dd91f7bc8f00e74b94a674607377ae629f0b');
    const { publicKey } = await jobCaKeys(key, uid);
    const { x, y } = await crypto.subtle.exportKey('jwk', publicKey);
    expect([x, y].map((text) => Buffer.from(text!, 'base64url').toString('hex'))).toEqual([
      '4fbada4b5937a7dab92cc625ec6c215d4369669c34782640754286276bdd2f04',
      '8cf1abdea8330488d12d5f1c5180f4f69e5ce78db6ec45e856e12e06c1300ba9',
    ]);
  });

  it('differ with the key, the job and the purpose; the CA’s private key can’t be exported', async () => {
    const other = Buffer.from(key).fill(7, 31);
    const tokens = [jobToken(key, uid), jobToken(other, uid), jobToken(key, `${uid}0`)];
    const { publicKey, privateKey } = await jobCaKeys(key, uid);
    const point = Buffer.from(await crypto.subtle.exportKey('raw', publicKey)).toString('hex');
    const withTokenAsKey = createECDH('prime256v1');
    withTokenAsKey.setPrivateKey(tokens[0]!, 'hex');
    expect(new Set([...tokens, ...tokens.map((token) => token.slice(0, 8)), keyIdOf(key)]).size).toBe(7);
    expect(withTokenAsKey.getPublicKey('hex')).not.toBe(point);
    expect(privateKey.extractable).toBe(false);
  });

  it("don't exist for a job without a UID, or a key of another length", async () => {
    expect(() => jobToken(key, '')).toThrow('internal: job keys: expected a job with a UID');
    await expect(jobCaKeys(key.subarray(1), uid)).rejects.toThrow('expected a key of 32 bytes, got 31');
  });
});

describe('the operator’s key', () => {
  it('is created at the first start and read at the next one', async () => {
    const at = stage();
    const first = await at.opened();
    const made = at.stored.get(keyPath);
    expect(made).toMatchObject({ metadata: { name: keySecretName }, immutable: true, type: 'Opaque' });
    expect(Buffer.from(made!.data!['key']!, 'base64')).toHaveLength(32);
    expect((await at.opened()).keyId).toBe(first.keyId);
    expect(at.server.requests).toEqual([`GET ${keyPath}`, `POST ${keyPath.replace(/\/[^/]*$/, '')}`, `GET ${keyPath}`]);
    expect((await stage().opened()).keyId).not.toBe(first.keyId);
  });

  it('is the other operator’s if two start at the same time', async () => {
    const at = stage();
    at.onCreate = () => at.stored.set(keyPath, keySecret(key));
    expect((await at.opened()).keyId).toBe(keyIdOf(key));
    expect(at.stored.get(keyPath)).toEqual(keySecret(key));
  });

  it.each<[string, V1Secret, string]>([
    ['of another length', keySecret(key.subarray(1)), '31 bytes'],
    ['under another name', { data: { token: key.toString('base64') } }, 'none'],
    ['absent', {}, 'none'],
  ])('%s is refused and not replaced', async (_, secret, found) => {
    const at = stage();
    at.stored.set(keyPath, secret);
    await expect(at.opened()).rejects.toThrow(
      `operator key: expected 32 bytes under "key" in Secret lockstep-system/lockstep-operator-key, got ${found}; ` +
        'restore it from a backup, or delete it',
    );
    expect(at.stored.get(keyPath)).toEqual(secret);
  });

  it('is waited for while the API server fails, but not if the operator may not read it', async () => {
    const at = stage();
    at.stored.set(keyPath, keySecret(key));
    let code = 503;
    const failing = new ScriptedServer((_request, response) => {
      const answered = code;
      code = 403;
      send(response, refusal(answered, 'Failed'), answered);
    });
    const connector = new Connector(await failing.start());
    cleanups.push(
      () => failing.close(),
      () => connector.close(),
    );
    const secrets = new Secrets(new Api(connector), new AbortController().signal);
    await expect(secrets.open(operatorNamespace, AbortSignal.timeout(8_000))).rejects.toMatchObject({ code: 403 });
    expect(failing.requests).toHaveLength(2);
  });

  it('is required before anything else', async () => {
    const secrets = await stage().operator();
    expect(() => secrets.keyId).toThrow("internal: secrets: expected the operator's key loaded");
    await expect(secrets.identity(job)).rejects.toThrow('internal:');
  });
});

describe('a job’s Secrets', () => {
  const names = secretNamesOf(identityOf(job), action.credentials);
  const inJob = (name: string) => pathOfSecret('ml', name);

  it('are created, and neither read nor changed where they exist', async () => {
    const at = stage();
    at.stored.set(keyPath, keySecret(key));
    const secrets = await at.opened();
    await secrets.ensure(job, action);
    const made = new Map(at.stored);
    expect([...made.keys()].slice(1)).toEqual([names.coordinatorTls, names.workerTls, names.token].map(inJob));
    await secrets.ensure(job, action);
    expect(at.stored).toEqual(made);
    const posts = Array.from({ length: 6 }, () => 'POST /api/v1/namespaces/ml/secrets');
    expect(at.server.requests).toEqual([`GET ${keyPath}`, ...posts]);
  });

  it('hold the derived token, and certificates for the coordinator’s hosts that last three years', async () => {
    const at = stage();
    at.stored.set(keyPath, keySecret(key));
    await (await at.opened()).ensure(job, action);
    expect(textOf(at.stored.get(inJob(names.token)), 'token')).toBe(jobToken(key, uid));
    const coordinator = new X509Certificate(textOf(at.stored.get(inJob(names.coordinatorTls)), 'tls.crt'));
    expect(coordinator.checkHost('cifar10-coordinator.ml.svc')).toBe('cifar10-coordinator.ml.svc');
    const days = (Date.parse(coordinator.validTo) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(1095);
  });

  it('don’t count as created if the API server rejects them for another reason', async () => {
    const at = stage();
    at.stored.set(keyPath, keySecret(key));
    const secrets = await at.opened();
    at.conflict = 'Conflict';
    await expect(secrets.ensure(job, action)).rejects.toThrow('create /api/v1/namespaces/ml/secrets: expected success');
    expect([...at.stored.keys()]).toEqual([keyPath]);
  });

  it('and the identity that another operator derives from the same key, trust each other over TLS', async () => {
    const at = stage();
    at.stored.set(keyPath, keySecret(key));
    await (await at.opened()).ensure(job, action);
    const secret = at.stored.get(inJob(names.coordinatorTls));
    const [ca, cert, own] = ['ca.crt', 'tls.crt', 'tls.key'].map((name) => textOf(secret, name));
    const coordinator = { ca: ca!, cert: cert!, key: own! };
    const later = await (await at.opened()).identity(job);
    expect(later.token).toBe(jobToken(key, uid));
    // Neither certificates nor keys match.
    expect([later.ca === coordinator.ca, later.cert === coordinator.cert]).toEqual([false, false]);
    expect(await shakeHands(coordinator, later)).toEqual({ server: true, client: true });

    const unrelated = stage();
    const another = await (await unrelated.opened()).identity(job);
    expect(await shakeHands(coordinator, another)).toEqual({ server: false, client: false });
    const ofAnotherJob = await (await at.opened()).identity({ ...job, metadata: { ...job.metadata, uid: `${uid}0` } });
    expect(await shakeHands(coordinator, ofAnotherJob)).toEqual({ server: false, client: false });
  });

  it('have an identity that is made once, until it is forgotten', async () => {
    const secrets = await stage().opened();
    const first = await secrets.identity(job);
    expect(await secrets.identity(job)).toBe(first);
    secrets.forget(uid);
    expect((await secrets.identity(job)).cert).not.toBe(first.cert);
  });
});

/** True if each side trusts the other's certificate; the name is that of the job's Service. */
async function shakeHands(
  coordinator: Omit<JobIdentity, 'token'>,
  operator: JobIdentity,
): Promise<{ readonly server: boolean; readonly client: boolean }> {
  const server = createServer(mutualTls(coordinator));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const accepted = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const options = clientTls({ ...operator, serverName: 'cifar10-coordinator' }, address);
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, ...options, rejectUnauthorized: false });
  try {
    await within(once(client, 'secureConnect'), 'a handshake');
    const [peer] = await within(accepted, 'a connection');
    peer.on('error', () => undefined);
    return { server: client.authorized, client: isTrusted(peer) };
  } finally {
    client.destroy();
    server.close();
  }
}
