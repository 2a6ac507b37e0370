import { z } from 'zod';
import { jobSpecSchema } from '../../job/spec.js';
import { operatorFieldsSchema } from './operator-fields.js';
import { nameRules, propertiesOf, specRules, withNatsRules, withVolumeRules } from './rules.js';
import { statusSchema } from './status.js';
import { structural, type Structural } from './structural.js';
import { group, kind, plural, version } from './training-job.js';

/**
 * The CustomResourceDefinition of TrainingJob, generated from the schemas of the job spec, the operator's fields and the
 * status. The API server doesn't apply the job spec's defaults, because a preset takes precedence over them.
 */
export function trainingJobCrd() {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { 'app.kubernetes.io/name': 'lockstep' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: {
        ...{ plural, kind, singular: 'trainingjob', listKind: `${kind}List` },
        ...{ shortNames: ['tj'], categories: ['all', 'lockstep'] },
      },
      versions: [
        {
          ...{ name: version, served: true, storage: true },
          schema: { openAPIV3Schema: rootSchema() },
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.workers.replicas',
              statusReplicasPath: '.status.workers.replicas',
              labelSelectorPath: '.status.workers.selector',
            },
          },
          additionalPrinterColumns: printerColumns,
        },
      ],
    },
  };
}

function rootSchema(): Structural {
  return {
    type: 'object',
    description:
      'A training job of Lockstep: one coordinator and any number of workers, which does not affect the result.',
    required: ['spec'],
    'x-kubernetes-validations': nameRules,
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: specSchema(),
      status: structural(z.toJSONSchema(statusSchema, { io: 'input' }), 'apply'),
    },
  };
}

function specSchema(): Structural {
  const job = propertiesOf(structural(z.toJSONSchema(jobSpecSchema, { io: 'input' }), 'describe'));
  const ours = propertiesOf(structural(z.toJSONSchema(operatorFieldsSchema, { io: 'input' }), 'apply'));
  const properties: Record<string, Structural> = {
    ...job,
    ...ours,
    storage: withVolumeRules(ours['storage'] ?? {}),
    nats: withNatsRules(ours['nats'] ?? {}),
  };
  // The resource's name is the job's name.
  delete properties['name'];
  const spec = { type: 'object', properties };
  return { ...spec, 'x-kubernetes-validations': specRules(spec) };
}

/** Columns of priority 1 appear only with `-o wide`. */
const printerColumns = [
  { name: 'State', type: 'string', jsonPath: '.status.state' },
  { name: 'Epoch', type: 'integer', jsonPath: '.status.epoch' },
  { name: 'Progress', type: 'string', jsonPath: '.status.progress' },
  { name: 'ETA', type: 'string', jsonPath: '.status.eta' },
  { name: 'Loss', type: 'string', jsonPath: '.status.loss' },
  { name: 'Accuracy', type: 'string', jsonPath: '.status.accuracy' },
  { name: 'Workers', type: 'string', jsonPath: '.status.workers.summary' },
  { name: 'Restarts', type: 'integer', jsonPath: '.status.restarts' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'Device', type: 'string', jsonPath: '.status.device', priority: 1 },
  { name: 'Digest', type: 'string', jsonPath: '.status.digest', priority: 1 },
];
