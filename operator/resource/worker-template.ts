import { z } from 'zod';
import { type SpecProblem, specProblems } from '../../job/spec-problems.js';
import { labelKeys } from '../plan/names.js';
import { nodeSelector, quantity, resources, sharedName, tolerations } from './operator-fields.js';

/**
 * Fields of `workers.template` that a job may set. The CRD accepts any pod spec, because an operator may run with
 * `--allow-any-template`. Without it, a job may set only what a restricted pod needs.
 */

const name = z.string().min(1).max(253);
const listOf = <Item extends z.ZodType>(item: Item, most = 32) => z.array(item).max(most);
/** List merged by `key`. Duplicates are rejected, because the second element would be ignored. */
function uniqueBy<Item extends z.ZodType>(key: string, item: Item, most = 64) {
  return z
    .array(item)
    .max(most)
    .superRefine((list, context) => {
      const values = list.map((element) => (element as Record<string, unknown>)[key]);
      for (const [index, value] of values.entries()) {
        if (values.indexOf(value) === index) continue;
        context.addIssue({ code: 'custom', path: [index, key], message: `${JSON.stringify(value)} is repeated` });
      }
    });
}
/** A section that affects only the workers' pods; the API server checks it. */
const anySection = z.record(name, z.unknown());
const fieldRef = z.strictObject({ apiVersion: name.optional(), fieldPath: name });
const resourceFieldRef = z.strictObject({
  containerName: name.optional(),
  resource: name,
  divisor: quantity.optional(),
});

/** Labels and annotations for schedulers and autoscalers. Any other could make a pod part of a Service. */
const allowedLabels = ['kueue.x-k8s.io/queue-name', 'kueue.x-k8s.io/priority-class'] as const;
const allowedAnnotations = [
  'cluster-autoscaler.kubernetes.io/safe-to-evict',
  'karpenter.sh/do-not-disrupt',
  'kueue.x-k8s.io/podset-required-topology',
  'kueue.x-k8s.io/podset-preferred-topology',
] as const;
const keysOf = (keys: readonly string[], value: z.ZodString) =>
  z.strictObject(Object.fromEntries(keys.map((key) => [key, value.optional()])));

/**
 * Variables that the operator sets, that change what the loader and Node.js run, or that take GPUs that the pod did not
 * request. A job with its own image can set them anyway; this matters if a cluster policy restricts images.
 */
const reservedVariables = /^(HOME|XDG_CACHE_HOME|PATH|LD_.*|NODE_.*|OPENSSL_.*|SSL_CERT_.*|NVIDIA_VISIBLE_DEVICES)$/;
const variable = z.strictObject({
  name: name
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'letters, digits and underscores')
    .refine((key) => !reservedVariables.test(key), 'a variable that jobs may not set; remove it'),
  value: z.string().max(4096).optional(),
  valueFrom: z
    .strictObject({
      fieldRef: fieldRef.optional(),
      resourceFieldRef: resourceFieldRef.optional(),
      configMapKeyRef: z.strictObject({ name: sharedName, key: name, optional: z.boolean().optional() }).optional(),
    })
    .optional(),
});

/** Top-level folders of the program, its interpreter, its credentials and the kernel. */
const systemFolders = ['bin', 'boot', 'dev', 'etc', 'lib', 'lib64', 'opt', 'proc', 'root', 'run', 'sbin', 'sys', 'usr'];
const mountPath = name
  .regex(/^(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$/, { message: 'an absolute path without . and ..', abort: true })
  .refine(
    (path) => !systemFolders.includes(path.split('/')[1] ?? ''),
    `expected a folder such as /data, got a system folder (/${systemFolders.join(', /')})`,
  );
const volumeMount = z.strictObject({
  name,
  mountPath,
  readOnly: z.boolean().optional(),
  subPath: name.regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]*(\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/, 'a relative path').optional(),
});

const mode = z.int().min(0).max(0o777);
const volumeKinds = {
  emptyDir: z.strictObject({ medium: z.enum(['', 'Memory']).optional(), sizeLimit: quantity.optional() }),
  configMap: z.strictObject({
    name: sharedName,
    items: listOf(z.strictObject({ key: name, path: name, mode: mode.optional() })).optional(),
    defaultMode: mode.optional(),
    optional: z.boolean().optional(),
  }),
  persistentVolumeClaim: z.strictObject({ claimName: sharedName, readOnly: z.boolean().optional() }),
  downwardAPI: z.strictObject({
    items: listOf(
      z.strictObject({
        path: name,
        fieldRef: fieldRef.optional(),
        resourceFieldRef: resourceFieldRef.optional(),
        mode: mode.optional(),
      }),
    ).optional(),
    defaultMode: mode.optional(),
  }),
};
const { emptyDir, configMap, persistentVolumeClaim, downwardAPI } = volumeKinds;
const volumeName = name.refine(
  (given) => given !== 'tls' && given !== 'token',
  'a name reserved for the operator; use another one',
);
const volume = z
  .strictObject({
    name: volumeName,
    emptyDir: emptyDir.optional(),
    configMap: configMap.optional(),
    persistentVolumeClaim: persistentVolumeClaim.optional(),
    downwardAPI: downwardAPI.optional(),
  })
  .refine((given) => Object.keys(given).length === 2, `expected one of ${Object.keys(volumeKinds).join(', ')}`)
  .refine((given) => given.name !== 'tmp' || given.emptyDir, 'tmp is a volume of the operator and must be an emptyDir');

/** Excludes namespaces: an anti-affinity to pods of other namespaces could prevent their scheduling. */
const affinityTerm = z.strictObject({
  topologyKey: name,
  labelSelector: anySection.optional(),
  matchLabelKeys: listOf(name).optional(),
  mismatchLabelKeys: listOf(name).optional(),
});
const podAffinity = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: listOf(affinityTerm).optional(),
  preferredDuringSchedulingIgnoredDuringExecution: listOf(
    z.strictObject({ weight: z.int().min(1).max(100), podAffinityTerm: affinityTerm }),
  ).optional(),
});

const worker = z.strictObject({
  name: z.literal('worker'),
  env: uniqueBy('name', variable).optional(),
  resources: resources.optional(),
  volumeMounts: uniqueBy('mountPath', volumeMount).optional(),
});

const allowedTemplate = z.strictObject({
  metadata: z
    .strictObject({
      labels: keysOf(allowedLabels, z.string().max(63)).optional(),
      annotations: keysOf(allowedAnnotations, z.string().max(253)).optional(),
    })
    .optional(),
  spec: z
    .strictObject({
      affinity: z
        .strictObject({
          nodeAffinity: anySection.optional(),
          podAffinity: podAffinity.optional(),
          podAntiAffinity: podAffinity.optional(),
        })
        .optional(),
      nodeSelector: nodeSelector.optional(),
      tolerations: tolerations.optional(),
      topologySpreadConstraints: listOf(anySection, 8).optional(),
      runtimeClassName: name.optional(),
      terminationGracePeriodSeconds: z.int().min(0).max(600).optional(),
      volumes: uniqueBy('name', volume).optional(),
      containers: uniqueBy('name', worker).optional(),
    })
    .optional(),
});

const ownKeys: readonly string[] = Object.values(labelKeys);
const notOwn = z.record(
  name.refine(
    (key) => !ownKeys.includes(key) && !key.startsWith('lockstep.dev/'),
    'reserved for the operator; remove it',
  ),
  z.unknown(),
);
const anyContainer = z
  .looseObject({
    name,
    env: z.array(z.looseObject({ name })).optional(),
    volumeMounts: z.array(z.looseObject({ mountPath: name })).optional(),
  })
  .superRefine((container, context) => {
    if (container.name !== 'worker') return;
    for (const key of ['command', 'args'].filter((key) => Object.hasOwn(container, key))) {
      context.addIssue({ code: 'custom', path: [key], message: 'set by the operator; remove it' });
    }
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const path = ['volumeMounts', index, 'mountPath'];
      const message = 'it would hide the credentials; use another folder';
      if (isOverCredentials(mount.mountPath)) context.addIssue({ code: 'custom', path, message });
    }
  });

/** Checks that also apply with `--allow-any-template`: the pods' owner, command and credentials. */
const anyTemplate = z.strictObject({
  metadata: z.strictObject({ labels: notOwn.optional(), annotations: notOwn.optional() }).optional(),
  spec: z
    .looseObject({
      containers: uniqueBy('name', anyContainer).optional(),
      initContainers: uniqueBy('name', z.looseObject({ name })).optional(),
      volumes: uniqueBy('name', z.looseObject({ name: volumeName })).optional(),
      tolerations: z.array(z.unknown()).optional(),
    })
    .optional(),
});

function isOverCredentials(path: string): boolean {
  const folder = `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
  return path.includes('..') || folder === '/' || folder === '/etc' || `${folder}/`.startsWith('/etc/lockstep/');
}

const root = ['workers', 'template'];
const maxBytes = 65_536;

/** Problems of a template, with their paths in the job's spec; empty if it is allowed. */
export function templateProblems(template: unknown, options: { readonly allowAny: boolean }): SpecProblem[] {
  if (template === undefined) return [];
  const bytes = Buffer.byteLength(JSON.stringify(template));
  if (bytes > maxBytes) return [{ path: root, message: `expected at most ${maxBytes} bytes of JSON, got ${bytes}` }];
  const schema = options.allowAny ? anyTemplate : allowedTemplate;
  const { error } = schema.safeParse(template);
  const problems = (error?.issues ?? []).flatMap((issue): SpecProblem[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: [...issue.path, key], message: refusal }))
      : specProblems([issue], schema, template),
  );
  return problems.map(({ path, message }) => ({ path: [...root, ...path], message }));
}

const refusal = 'a field that jobs may not set here; remove it, or see --allow-any-template in docs/guides/operator.md';
