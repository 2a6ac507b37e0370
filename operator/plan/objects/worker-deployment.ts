import type { V1Deployment, V1PodTemplateSpec } from '@kubernetes/client-node';
import type { JobContext } from '../job-context.js';
import { labelsOf, namesOf, ports, secretNamesOf, selectorOf } from '../names.js';
import type { Desired } from '../types.js';
import { mergeTemplate } from './merge-template.js';
import { metaOf, stamped } from './meta.js';
import * as parts from './pod-parts.js';

/** Time for a worker to finish and send its current result. */
const graceSeconds = 30;

/**
 * Deployment of the workers. They have no probes, because the coordinator tracks their heartbeats. They have no state, so
 * they are replaced one by one without spare capacity.
 * @param credentials - the coordinator's; undefined if an operator before 0.5.5 started it.
 */
export function workerDeployment(context: JobContext, credentials: string | undefined): Desired {
  const { identity, fields } = context;
  const selector = selectorOf(identity, 'worker');
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metaOf(identity, namesOf(identity).worker, 'worker'),
    spec: {
      replicas: fields.workers.replicas,
      revisionHistoryLimit: 1,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
      selector: { matchLabels: selector },
      template: withOwn(mergeTemplate(podTemplate(context, credentials), fields.workers.template), context),
    },
  } satisfies V1Deployment;
  return stamped(deployment);
}

function podTemplate({ identity, fields, settings }: JobContext, credentials: string | undefined): V1PodTemplateSpec {
  const { workerTls, token } = secretNamesOf(identity, credentials);
  return {
    metadata: {},
    spec: {
      terminationGracePeriodSeconds: graceSeconds,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      securityContext: parts.podSecurity,
      ...parts.placementOf(fields, fields.workers),
      containers: [
        {
          name: 'worker',
          ...parts.imageOf(fields, settings),
          env: [
            { name: 'HOME', value: '/tmp' },
            { name: 'XDG_CACHE_HOME', value: '/tmp' },
          ],
          resources: parts.resourcesOf(fields.workers.resources, { requests: { cpu: '1', memory: '512Mi' } }),
          securityContext: parts.containerSecurity,
          terminationMessagePolicy: 'FallbackToLogsOnError',
          volumeMounts: [...parts.credentialMounts],
        },
      ],
      volumes: parts.credentialVolumes({ tls: workerTls, token }),
    },
  };
}

/** Restores the labels and command, which overrides must not change. */
function withOwn(template: V1PodTemplateSpec, { identity }: JobContext): V1PodTemplateSpec {
  const args = ['worker', '--coordinator', `${namesOf(identity).coordinator}:${ports.grpc}`, ...parts.credentialArgs];
  const containers = (template.spec?.containers ?? []).map((container) => {
    if (container.name !== 'worker') return container;
    const rest = { ...container };
    delete rest.command;
    return { ...rest, args };
  });
  const labels = { ...template.metadata?.labels, ...labelsOf(identity, 'worker') };
  return { metadata: { ...template.metadata, labels }, spec: { ...template.spec, containers } };
}
