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

/** The operator's command. Exit codes: 0 stopped, 1 failed or lead lost, 2 wrong usage. */

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
    .description('Makes TrainingJobs what their specs say: coordinator, workers, and all that belongs to them.')
    .requiredOption('--image <image>', 'image of jobs that name none', process.env['LOCKSTEP_IMAGE'])
    .option('--image-pull-policy <policy>', 'for images of jobs that name no policy')
    .addOption(
      new Option('--namespace <name>', 'serve only jobs of this namespace; repeat for several')
        .env('LOCKSTEP_NAMESPACES')
        .argParser(namespaces),
    )
    .option('--allow-any-template', 'let jobs set any field of their pods (LOCKSTEP_ALLOW_ANY_TEMPLATE=true)', false)
    .addOption(
      new Option(
        '--name-servers <list>',
        "name servers that workers can reach, comma-separated: NAMESPACE/LABEL=VALUE or CIDR; default: the cluster's kube-dns",
      )
        .env('LOCKSTEP_NAME_SERVERS')
        .argParser(nameServers),
    )
    .option('--kubeconfig <file>', 'default: KUBECONFIG, the home directory, or the pod it runs in')
    .option('--no-leader-election', 'act at once; only where it is certain that no other operator runs')
    .option(
      '--lease-namespace <name>',
      "namespace of the lease and the operator's key; default: the operator's own namespace",
    )
    .option('--lease-seconds <seconds>', 'how long another operator waits for one that is silent', positive, 15)
    .option('--watch-silence <seconds>', 'a watch on which nothing comes for as long is begun again', positive, 150)
    .option('--listen <host:port>', 'address of /healthz and /readyz', endpoint, { host: '0.0.0.0', port: 8080 })
    .option('--metrics <host:port>', 'address of /metrics; default: not served', endpoint)
    .option('--concurrency <jobs>', 'jobs processed at once; one namespace gets at most half', positive, 16)
    .option('--rate <requests>', 'requests per second to the API server; twice as many at once', positive, 50)
    .option('--log <level>', 'debug, info, warn, error or silent', 'info');
}

/** @param before - of the flags before it. */
function namespaces(text: string, before: readonly string[] = []): readonly string[] {
  const names = text.split(',');
  const wrong = names.find((name) => !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`expected names of namespaces, got "${wrong}"`);
  return [...before, ...names];
}

/** A switch that a variable may set as well. */
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
  const { KubeConfig } = await import('@kubernetes/client-node');
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
    log.info({ identity, server: config.getCurrentCluster()?.server }, `lockstep-operator ${version()}: ${ports}`);
  });
}

/** From the `package.json` beside `dist`. */
function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

// What gRPC has to say comes as errors, in our words.
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
