import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { trainingJobCrd } from '../../../operator/resource/crd.js';
import { crdText } from '../../../operator/resource/crd-text.js';
import { operatorFieldsSchema } from '../../../operator/resource/operator-fields.js';
import { propertiesOf } from '../../../operator/resource/rules.js';
import { structural, type Rule, type Structural } from '../../../operator/resource/structural.js';
import { jobSpecSchema } from '../../../job/spec.js';

const file = join(import.meta.dirname, '../../../deploy/crd/trainingjob.yaml');
const [version] = trainingJobCrd().spec.versions;
const root = version!.schema.openAPIV3Schema;
const spec = propertiesOf(root)['spec']!;
const rulesOf = (schema: Structural) => (schema['x-kubernetes-validations'] ?? []) as Rule[];

/** Every schema below one, itself included, with its path. */
function walk(schema: Structural, path: string): [string, Structural][] {
  const below = Object.entries(propertiesOf(schema)).flatMap(([key, one]) => walk(one, `${path}.${key}`));
  const { items, additionalProperties } = schema as { items?: Structural; additionalProperties?: Structural };
  const inner = [items, additionalProperties].flatMap((one) => (one === undefined ? [] : walk(one, `${path}[]`)));
  return [[path, schema], ...below, ...inner];
}

describe('the CustomResourceDefinition', () => {
  it('in deploy/crd matches the schemas; otherwise run: npm run crd', async () => {
    const text = await format(crdText(), { ...(await resolveConfig(file)), filepath: file });
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('has every field of the job spec except the name, and every field of the operator', () => {
    const job = Object.keys(jobSpecSchema.shape).filter((key) => key !== 'name');
    const fields = [...job, ...Object.keys(operatorFieldsSchema.shape)];
    expect(Object.keys(propertiesOf(spec)).sort()).toEqual([...new Set(fields)].sort());
  });

  it('bounds every text, list and map of the spec, for the cost of its rules', () => {
    const unbounded = walk(spec, 'spec').filter(([, schema]) => {
      const isText = schema['type'] === 'string' && schema['enum'] === undefined && schema['maxLength'] === undefined;
      const isList = schema['type'] === 'array' && schema['maxItems'] === undefined;
      const isMap = schema['additionalProperties'] !== undefined && schema['maxProperties'] === undefined;
      return isText || isList || isMap;
    });
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  it('fills in no default of the job spec, as a preset takes effect before it, but documents it', () => {
    const { optimizer, seed } = propertiesOf(spec);
    expect(seed).toMatchObject({ description: expect.stringContaining('default: 1') as string });
    const defaults = walk(spec, 'spec').filter(([, schema]) => schema['default'] !== undefined);
    expect(defaults.map(([path]) => path)).toEqual([
      ...['spec.workers', 'spec.workers.replicas', 'spec.workers.min', 'spec.storage', 'spec.suspend'],
      ...['spec.backoffLimit', 'spec.nats.credentials.key', 'spec.nats.credentials.type', 'spec.nats.ca.key'],
    ]);
    expect(propertiesOf(optimizer!)['learningRate']).toEqual({
      ...{ type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 100 },
      description:
        'sgd: peak learning rate, before the schedule; default: 0.01; adam, adamw: peak learning rate, before the schedule; default: 0.001',
    });
  });

  it('lets replicas, suspend and the time to live change, and nothing else', () => {
    const fixed = rulesOf(spec)
      .filter(({ rule }) => rule.includes('oldSelf'))
      .map(({ fieldPath }) => fieldPath?.slice(1));
    const all = [
      ...Object.keys(propertiesOf(spec)).filter((key) => key !== 'workers'),
      ...Object.keys(propertiesOf(propertiesOf(spec)['workers']!)).map((key) => `workers.${key}`),
    ];
    const mutable = all.filter((key) => !fixed.includes(key));
    expect(mutable.sort()).toEqual(['suspend', 'ttlSecondsAfterFinished', 'workers.replicas']);
  });

  it('makes unions one object, with rules for the fields of each type', () => {
    const { schedule } = propertiesOf(spec);
    expect(rulesOf(schedule!).map(({ message }) => message)).toEqual([
      'everyEpochs requires type step',
      'factor requires type step',
      'finalFactor requires type cosine',
      'type step requires everyEpochs',
    ]);
  });

  it('has the scale subresource and the columns that kubectl prints', () => {
    expect(version!.subresources.scale.specReplicasPath).toBe('.spec.workers.replicas');
    const columns = version!.additionalPrinterColumns;
    const plain = columns.filter(({ priority }) => priority === undefined).map(({ name }) => name);
    expect(plain.join(' ')).toBe('State Epoch Progress ETA Loss Accuracy Workers Restarts Age');
    const known = walk(root, '').map(([path]) => path);
    for (const { jsonPath } of columns.filter(({ name }) => name !== 'Age')) expect(known).toContain(jsonPath);
  });
});

describe('a structural schema', () => {
  it("can't be made from a union whose bounds differ from type to type", () => {
    const variant = (type: string, most: number) => z.strictObject({ type: z.literal(type), n: z.int().max(most) });
    const union = z.discriminatedUnion('type', [variant('a', 1), variant('b', 2)]);
    expect(() => structural(z.toJSONSchema(union), 'describe')).toThrow('union field n: expected equal bounds');
  });
});
