import type { Rule, Structural } from './structural.js';

/** What the API server itself checks beyond types and bounds, in CEL. */

/** Longer, `<name>-coordinator` would be no name for a Service. */
const longestName = 51;

export const nameRules: readonly Rule[] = [
  {
    rule: `self.metadata.name.size() <= ${longestName} && self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$')`,
    message: `the name must be 1 to ${longestName} lower-case letters, digits and dashes, and begin with a letter`,
  },
];

const jobRules: readonly Rule[] = [
  {
    rule: 'has(self.preset) || (has(self.model) && has(self.epochs) && has(self.shards))',
    message: 'expected a preset, or model, epochs and shards',
  },
  {
    rule: 'has(self.batchPerShard) ? !has(self.globalBatch) : has(self.globalBatch) || has(self.preset)',
    message: 'expected exactly one of batchPerShard and globalBatch',
  },
  {
    rule: '!has(self.globalBatch) || !has(self.shards) || self.globalBatch >= self.shards',
    message: 'globalBatch: expected at least one sample per shard',
  },
];

const volumeRule: Rule = {
  rule: '(has(self.existingClaim) ? 1 : 0) + (has(self.emptyDir) ? 1 : 0) + (has(self.size) || has(self.storageClassName) ? 1 : 0) <= 1',
  message: 'expected one of existingClaim, emptyDir, and size with storageClassName',
};

/** Rules of `nats`. The coordinator's command line rejects the same values. */
const natsRules: readonly Rule[] = [
  {
    rule: "!self.url.contains('@')",
    message:
      'expected no user, password or token in the address, because everyone who can read the resource sees them; put them into a Secret: nats.credentials',
    fieldPath: '.url',
  },
  {
    rule: "!has(self.credentials) || !self.url.contains('nats://') || (has(self.insecure) && self.insecure)",
    message: 'expected tls:// with credentials, or insecure: true if the network is trusted',
    fieldPath: '.url',
  },
  {
    rule: "!has(self.ca) || self.url.startsWith('tls://')",
    message: 'expected a tls:// address with ca',
    fieldPath: '.url',
  },
  {
    rule: "!has(self.credentials) || (self.credentials.type == 'password') == has(self.credentials.user)",
    message: 'expected user with type password, and with no other type',
    fieldPath: '.credentials',
  },
];

/** What may be changed while a job exists; `workers.replicas` besides. */
const mutable: readonly string[] = ['suspend', 'ttlSecondsAfterFinished'];

/** The rules of a spec, whose schema they are derived from: everything else stays as it was made. */
export function specRules(spec: Structural): Rule[] {
  const fields = propertiesOf(spec);
  const { workers, ...others } = fields;
  const fixed = Object.entries(others).filter(([key]) => !mutable.includes(key));
  const ofWorkers = Object.entries(propertiesOf(workers ?? {})).filter(([key]) => key !== 'replicas');
  return [
    ...jobRules,
    ...fixed.map(([key, field]) => stays(key, field)),
    ...ofWorkers.map(([key, field]) => stays(`workers.${key}`, field)),
  ];
}

/** The schema of `storage` with the rule of its volumes. */
export function withVolumeRules(storage: Structural): Structural {
  const volumes = Object.entries(propertiesOf(storage)).map(([key, volume]): [string, Structural] => [
    key,
    { ...volume, 'x-kubernetes-validations': [volumeRule] },
  ]);
  return { ...storage, properties: Object.fromEntries(volumes) };
}

/** The schema of `nats` with its rules. */
export function withNatsRules(nats: Structural): Structural {
  return { ...nats, 'x-kubernetes-validations': natsRules };
}

function stays(path: string, field: Structural): Rule {
  const [now, before] = [`self.${path}`, `oldSelf.${path}`];
  const equal = `${now} == ${before}`;
  const rule = field['default'] === undefined ? `has(${now}) == has(${before}) && (!has(${now}) || ${equal})` : equal;
  return {
    rule,
    message: `${path} cannot be changed once the job exists, only workers.replicas, ${mutable.join(' and ')}; make another job`,
    fieldPath: `.${path}`,
    reason: 'FieldValueForbidden',
  };
}

export function propertiesOf(schema: Structural): Record<string, Structural> {
  return (schema['properties'] ?? {}) as Record<string, Structural>;
}
