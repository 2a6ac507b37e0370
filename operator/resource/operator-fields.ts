import { z } from 'zod';
import { presets } from '../../job/presets.js';
import { maxNatsUrl, natsUrlPattern } from '../../transport/nats-url.js';

/** Size limit of a topology, in characters. Keras's ResNet-152 has 270,000. */
export const maxTopologyLength = 512 * 2 ** 10;

/**
 * Fields of a TrainingJob in addition to the job spec: pods, storage, limits. Extension keywords (`x-kubernetes-…`) in
 * `meta` are copied to the CRD.
 */

export const quantity = z
  .union([
    z
      .string()
      .max(32)
      .regex(/^\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/, 'a quantity such as 500m, 2 or 1Gi'),
    z.int().min(0),
  ])
  .meta({ 'x-kubernetes-int-or-string': true });
const quantities = (what: string) =>
  z.record(z.string().max(253), quantity).meta({ description: what, maxProperties: 16 });
const dnsName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'lower-case letters, digits, dashes and dots');
const secretKey = (fallback: string) =>
  z
    .string()
    .max(253)
    .regex(/^[A-Za-z0-9][-A-Za-z0-9_.]*$/, 'a key of a Secret')
    .default(fallback);
const imageName = z.string().min(1).max(500);
/**
 * Name of a Secret, claim or ConfigMap that a job refers to. Anyone who may create jobs can read these objects by choosing
 * the image, so the name must permit that. A job's own objects never match: their names begin with the job's name, which
 * has no dots.
 */
export const sharedName = z
  .string()
  .max(253)
  .regex(
    /^lockstep\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/,
    'a name that begins with "lockstep.", such as lockstep.cifar10; jobs may not use others',
  );
const claimName = sharedName.describe(
  'an existing PersistentVolumeClaim whose name begins with "lockstep."; it is never deleted',
);

/** Part of a pod spec, which the API server checks. */
const podPart = (what: string) =>
  z.record(z.string(), z.unknown()).meta({ description: what, 'x-kubernetes-preserve-unknown-fields': true });

export const resources = z
  .strictObject({
    requests: quantities('resources reserved by the scheduler').optional(),
    limits: quantities('upper limits, e.g. nvidia.com/gpu: 1').optional(),
  })
  .describe('resources of one pod');
export const nodeSelector = z
  .record(z.string().max(317), z.string().max(63))
  .meta({ description: 'required labels of the node', maxProperties: 32 });
export const tolerations = z
  .array(
    z.strictObject({
      key: z.string().max(317).optional(),
      operator: z.enum(['Exists', 'Equal']).optional(),
      value: z.string().max(63).optional(),
      effect: z.enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute']).optional(),
      tolerationSeconds: z.int().min(0).max(2_147_483_647).optional(),
    }),
  )
  .max(32)
  .meta({ description: 'node taints that the pods tolerate', 'x-kubernetes-list-type': 'atomic' });
const placement = { resources: resources.optional(), nodeSelector: nodeSelector.optional() };

const workers = z
  .strictObject({
    replicas: z.int().min(0).max(1024).default(1).describe('number of workers; may be changed while the job runs'),
    min: z
      .int()
      .min(1)
      .max(1024)
      .default(1)
      .describe('workers to wait for before the first step, at most the initial replicas'),
    ...placement,
    tolerations: tolerations.optional(),
    template: z
      .strictObject({
        metadata: z
          .strictObject({
            labels: z.record(z.string().max(317), z.string().max(63)).meta({ maxProperties: 32 }).optional(),
            annotations: z.record(z.string().max(317), z.string().max(4096)).meta({ maxProperties: 32 }).optional(),
          })
          .optional(),
        spec: podPart('fields of a pod spec').optional(),
      })
      .describe(
        "merged into the workers' pods: containers, env and volumes by name, volumeMounts by mountPath, tolerations " +
          'appended. Without --allow-any-template, only fields that a restricted pod needs are accepted',
      )
      .optional(),
  })
  .prefault({});

const coordinator = z
  .strictObject({ ...placement, tolerations: tolerations.optional() })
  .describe('the pod with the training state; needs no accelerator')
  .optional();

const volumeFields = {
  size: quantity.describe('size of the PersistentVolumeClaim to create').optional(),
  storageClassName: dnsName.describe("default: the cluster's default class").optional(),
  existingClaim: claimName.optional(),
  emptyDir: z
    .strictObject({ sizeLimit: quantity.optional() })
    .describe("stored on the node and lost with the coordinator's pod; training then restarts, with the same result")
    .optional(),
};
const runVolume = z.strictObject({
  ...volumeFields,
  path: z
    .string()
    .min(1)
    .max(253)
    .regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]*(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/, 'folder names, none of them . or ..')
    .describe('folder in an existing claim; default: the job name')
    .optional(),
});
const storage = z
  .strictObject({
    run: runVolume.describe('checkpoints, records, model and report; default: a claim of 2Gi').optional(),
    data: z.strictObject(volumeFields).describe("dataset cache; default: in the run's volume").optional(),
  })
  .prefault({});

const natsCredentials = z
  .strictObject({
    secretName: sharedName,
    key: secretKey('nats.creds'),
    type: z
      .enum(['creds', 'token', 'password'])
      .default('creds')
      .describe('content of the key: a credentials file (user JWT and seed), a token, or the password of user'),
    user: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[^-]/, 'a name that does not begin with a dash')
      .describe('user name; only with type password')
      .optional(),
  })
  .describe('a Secret with credentials for NATS, whose name begins with "lockstep."');

const nats = z
  .strictObject({
    url: z
      .string()
      .max(maxNatsUrl)
      .regex(natsUrlPattern, 'nats://HOST:PORT or tls://HOST:PORT, or several separated by commas')
      .describe('address without credentials: nats://HOST:PORT or tls://HOST:PORT, or several separated by commas'),
    credentials: natsCredentials.optional(),
    ca: z
      .strictObject({ secretName: sharedName, key: secretKey('ca.crt') })
      .describe("a Secret with the CA of the server's certificate, PEM; default: the image's CAs")
      .optional(),
    insecure: z.boolean().describe('send the credentials without TLS, to a nats:// address').optional(),
  })
  .describe("NATS server that receives the run's events and checkpoints")
  .optional();

export const operatorFieldsSchema = z.strictObject({
  preset: z
    .enum(Object.keys(presets) as [string, ...string[]])
    .describe('preset to start from; other fields override it')
    .optional(),
  topology: z
    .string()
    .max(maxTopologyLength)
    .describe('TF.js Layers topology of a custom model, as JSON text; requires model, its title')
    .optional(),
  workers,
  coordinator,
  storage,
  image: imageName.describe("default: the image in the operator's settings").optional(),
  imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).optional(),
  imagePullSecrets: z
    .array(z.strictObject({ name: dnsName }))
    .max(8)
    .meta({ 'x-kubernetes-list-type': 'atomic' })
    .optional(),
  suspend: z
    .boolean()
    .default(false)
    .describe('true: write a checkpoint and delete all pods; false: resume from the newest checkpoint'),
  ttlSecondsAfterFinished: z
    .int()
    .min(0)
    .max(2_147_483_647)
    .describe('time after its end until the job and its objects are deleted; default: never')
    .optional(),
  activeDeadlineSeconds: z
    .int()
    .min(1)
    .max(2_147_483_647)
    .describe('the job fails if it is active for longer; a suspension restarts the count')
    .optional(),
  backoffLimit: z
    .int()
    .min(0)
    .max(1000)
    .default(3)
    .describe("number of coordinator failures to retry; lost pods don't count"),
  nats,
});

export type OperatorFields = z.infer<typeof operatorFieldsSchema>;
export type OperatorFieldsInput = z.input<typeof operatorFieldsSchema>;
export type NatsCredentials = z.infer<typeof natsCredentials>;
export type VolumeField = NonNullable<OperatorFields['storage']['run']>;
