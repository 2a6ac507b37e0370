import type { Rule, Structural } from './structural.js';

/** CEL rules for the API server, in addition to types and bounds. */

/** `<name>-coordinator` must be a valid Service name. */
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

/** Rules of `nats`, the same as the coordinator's command line has. */
const natsRules: readonly Rule[] = [
  {
    rule: "!self.url.contains('@')",
    message:
      'expected an address without user, password or token, because everyone who can read the resource can see them; put them into a Secret: nats.credentials',
    fieldPath: '.url',
  },
  {
    rule: "!has(self.credentials) || !self.url.contains('nats://') || (has(self.insecure) && self.insecure)",
    message: 'expected tls:// for credentials, or insecure: true if the network is trusted',
    fieldPath: '.url',
  },
  {
    rule: "!has(self.ca) || self.url.startsWith('tls://')",
    message: 'expected a tls:// address for ca',
    fieldPath: '.url',
  },
  {
    rule: "!has(self.credentials) || (self.credentials.type == 'password') == has(self.credentials.user)",
    message: 'expected user with type password, and with no other type',
    fieldPath: '.credentials',
  },
];

/** Fields that may be changed while a job exists, besides `workers.replicas`. */
const mutable: readonly string[] = ['suspend', 'ttlSecondsAfterFinished'];

/** Rules of a spec, derived from its schema: all fields are immutable except the above. */
export function specRules(spec: Structural): Rule[] {
  const fields = propertiesOf(spec);
  const { workers, ...others } = fields;
  const fixed = Object.entries(others).filter(([key]) => !mutable.includes(key));
  const ofWorkers = Object.entries(propertiesOf(workers ?? {})).filter(([key]) => key !== 'replicas');
  return [
    ...jobRules,
    ...fixed.map(([key, field]) => immutable(key, field)),
    ...ofWorkers.map(([key, field]) => immutable(`workers.${key}`, field)),
  ];
}

/** Adds the volume rule to the schema of `storage`. */
export function withVolumeRules(storage: Structural): Structural {
  const volumes = Object.entries(propertiesOf(storage)).map(([key, volume]): [string, Structural] => [
    key,
    { ...volume, 'x-kubernetes-validations': [volumeRule] },
  ]);
  return { ...storage, properties: Object.fromEntries(volumes) };
}

/** Adds the rules of `nats` to its schema. */
export function withNatsRules(nats: Structural): Structural {
  return { ...nats, 'x-kubernetes-validations': natsRules };
}

function immutable(path: string, field: Structural): Rule {
  const [now, before] = [`self.${path}`, `oldSelf.${path}`];
  const equal = `${now} == ${before}`;
  const rule = field['default'] === undefined ? `has(${now}) == has(${before}) && (!has(${now}) || ${equal})` : equal;
  return {
    rule,
    message: `${path} is immutable; only workers.replicas, ${mutable.join(' and ')} can be changed; create another job`,
    fieldPath: `.${path}`,
    reason: 'FieldValueForbidden',
  };
}

export function propertiesOf(schema: Structural): Record<string, Structural> {
  return (schema['properties'] ?? {}) as Record<string, Structural>;
}
