#!/usr/bin/env node
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import pino from 'pino';
import { parseNameServers } from './plan/objects/name-servers.js';
import type { NameServer } from './plan/settings.js';
import { defaultTimes } from './kube/informer.js';
import { leaseTimes } from './kube/lease-decisions.js';
import type { OperatorOptions, Endpoint } from './kube/operator-options.js';

/** The `lockstep-operator` command. Exit codes: 0 stopped, 1 failed or lost leadership, 2 wrong usage. */

interface Flags {
  readonly namespace?: readonly string[];
  readonly kubeconfig?: string;
  readonly image: string;
  readonly imagePullPolicy?: string;
  readonly allowAnyTemplate: boolean;
  readonly nameServers?: readonly NameServer[];
  readonly leaderElection: boolean;
  readonly leaseNamespace?: string;
  readonly leaseSeconds: number;
  readonly watchSilence: number;
  readonly listen: Endpoint;
  readonly metrics?: Endpoint;
  readonly concurrency: number;
  readonly rate: number;
  readonly log: string;
}

const leaseName = 'lockstep-operator';

function command(): Command {
  return new Command('lockstep-operator')
    .description('Kubernetes operator for TrainingJobs: manages their coordinators, workers and other objects.')
    .requiredOption('--image <image>', 'default image for jobs', process.env['LOCKSTEP_IMAGE'])
    .option('--image-pull-policy <policy>', 'default image pull policy for jobs')
    .addOption(
      new Option('--namespace <name>', 'manage only jobs of this namespace; repeatable')
        .env('LOCKSTEP_NAMESPACES')
        .argParser(namespaces),
    )
    .option(
      '--allow-any-template',
      'allow jobs to set any field of their worker pods (also LOCKSTEP_ALLOW_ANY_TEMPLATE=true)',
      false,
    )
    .addOption(
      new Option(
        '--name-servers <list>',
        "name servers that workers may reach, comma-separated NAMESPACE/LABEL=VALUE or CIDR (default: the cluster's kube-dns)",
      )
        .env('LOCKSTEP_NAME_SERVERS')
        .argParser(nameServers),
    )
    .option(
      '--kubeconfig <file>',
      'path of a kubeconfig (default: KUBECONFIG, ~/.kube/config, or the service account of its pod)',
    )
    .option('--no-leader-election', 'run without a leader lease; only safe if no other operator runs')
    .option(
      '--lease-namespace <name>',
      "namespace of the leader lease and the operator's key (default: the operator's own namespace)",
    )
    .option(
      '--lease-seconds <seconds>',
      'time until another operator takes over from an unresponsive leader',
      positive,
      15,
    )
    .option('--watch-silence <seconds>', 'restart a watch after this time without data', positive, 150)
    .option('--listen <host:port>', 'address of /healthz and /readyz', endpoint, { host: '0.0.0.0', port: 8080 })
    .option('--metrics <host:port>', 'address of /metrics (default: none)', endpoint)
    .option(
      '--concurrency <jobs>',
      'jobs reconciled concurrently; at most half of them from one namespace',
      positive,
      16,
    )
    .option('--rate <requests>', 'average requests per second to the API server; bursts of twice as many', positive, 50)
    .option('--log <level>', 'debug, info, warn, error or silent', 'info');
}

/** Parses namespaces. @param before - those of earlier flags. */
function namespaces(text: string, before: readonly string[] = []): readonly string[] {
  const names = text.split(',');
  const wrong = names.find((name) => !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`expected names of namespaces, got "${wrong}"`);
  return [...before, ...names];
}

/** Value of a boolean flag that an environment variable may also set. */
function isSet(flag: boolean, name: string): boolean {
  const text = process.env[name] ?? 'false';
  if (text !== 'true' && text !== 'false') throw new Error(`${name}: expected true or false, got "${text}"`);
  return flag || text === 'true';
}

function nameServers(text: string): readonly NameServer[] {
  try {
    return parseNameServers(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function endpoint(text: string): Endpoint {
  const [, host, port] = /^(?:\[?([^\]]*)\]?):(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65535) throw new InvalidArgumentError('expected HOST:PORT');
  return { host: host === '' ? '0.0.0.0' : host!, port: Number(port) };
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1000) throw new InvalidArgumentError('expected 1 to 1000');
  return value;
}

async function run(flags: Flags): Promise<void> {
  const allowAnyTemplate = isSet(flags.allowAnyTemplate, 'LOCKSTEP_ALLOW_ANY_TEMPLATE');
  const log = pino({ level: flags.log, base: null }, pino.destination({ dest: 2, sync: true }));
  const { KubeConfig } = await loadClient();
  const config = new KubeConfig();
  if (flags.kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(flags.kubeconfig);
  const own = config.getContextObject(config.getCurrentContext())?.namespace ?? 'default';
  const { nameServers } = flags;
  const { image, imagePullPolicy, namespace, concurrency, rate, leaseNamespace = own, leaseSeconds } = flags;
  const identity = `${hostname()}-${randomBytes(4).toString('hex')}`;
  const options: OperatorOptions = {
    settings: {
      ...{ image, imagePullPolicy, allowAnyTemplate, nameServers },
      operatorNamespace: process.env['POD_NAMESPACE'],
    },
    namespaces: namespace && [...new Set(namespace)],
    keyNamespace: leaseNamespace,
    lease: flags.leaderElection
      ? { namespace: leaseNamespace, name: leaseName, identity, times: leaseTimes(leaseSeconds) }
      : undefined,
    health: flags.listen,
    metrics: flags.metrics,
    times: { ...defaultTimes, silentMs: 1000 * flags.watchSilence },
    concurrency,
    rate: { perSecond: rate, burst: 2 * rate },
    log,
  };
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort());
  const { createOperator } = await import('./kube/create-operator.js');
  const { warmUp } = await import('./kube/warm-up.js');
  await warmUp(options.settings);
  const operator = createOperator(config, options, await import('prom-client'));
  await operator.run(stop.signal, (health, metrics) => {
    const ports = `health on port ${health}${metrics === undefined ? '' : `, metrics on port ${metrics}`}`;
    log.info(
      { identity, server: config.getCurrentCluster()?.server },
      `lockstep-operator ${manifest().version}: ${ports}`,
    );
  });
}

/** Loads the Kubernetes client, an optional dependency that only the operator needs. */
async function loadClient() {
  try {
    return await import('@kubernetes/client-node');
  } catch (cause) {
    const name = `@kubernetes/client-node@${manifest().peerDependencies['@kubernetes/client-node']}`;
    const problem = (cause as Error).message.split('\n', 1)[0];
    throw new Error(
      `start: expected the package ${name}, got ${problem}; run npm install ${name} in the folder where Lockstep is installed`,
      { cause },
    );
  }
}

interface Manifest {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** The `package.json` next to `dist`. */
function manifest(): Manifest {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Manifest;
}

// gRPC's failures are reported as errors of the calls.
setLogVerbosity(logVerbosity.NONE);
const program = command().exitOverride();
try {
  await run(program.parse().opts<Flags>());
  process.exit(0);
} catch (error) {
  const usage = error instanceof CommanderError;
  if (!usage) console.error(`lockstep-operator: ${(error as Error).message}`);
  process.exit(usage ? (error.exitCode === 0 ? 0 : 2) : 1);
}
