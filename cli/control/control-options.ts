import { type Command, Option } from 'commander';
import { JobError } from '../../job/errors.js';
import { sealOf } from '../../nats/seal.js';
import type { ControlClient } from './control-client.js';
import { addNatsConnection, type NatsConnectionFlags, natsFlagsOf, readAddress } from '../options/nats-options.js';
import { seconds } from '../options/numbers.js';
import { addTlsClientOptions, readTls, type TlsFlags } from '../options/tls-options.js';
import { readToken } from '../options/token.js';

/** Parsed options of `addControlOptions`. */
export interface ControlOptions extends TlsFlags, NatsConnectionFlags {
  coordinator?: string;
  job?: string;
  tokenFile?: string;
  json?: boolean;
  wait?: number;
}

/** Adds the options that select a run, and `--json`. */
export function addControlOptions(command: Command): Command {
  command
    .option('--coordinator <host:port>', 'address of the coordinator, as printed when it starts')
    .option('--token-file <file>', 'shared secret of the cluster');
  return addNatsConnection(
    addTlsClientOptions(command),
    'NATS server of the job, instead of --coordinator; requires --job',
  )
    .option('--job <name>', 'name of the job in NATS, or NAME or NAMESPACE/NAME of a TrainingJob')
    .option('--insecure', 'allow signing in to a NATS server beyond loopback without TLS')
    .option('--json', 'print JSON, one object per line');
}

/** Adds `--wait`, for commands that reconnect. */
export function addWaitOption(command: Command): Command {
  const wait = new Option('--wait <seconds>', 'give up after this long without a response').argParser(seconds);
  return command.addOption(wait.default(300_000, '300'));
}

/** Runs `work` on the job that the options select. @throws JobError BAD_OPTION when they select none. */
export async function withControl<Result>(
  options: ControlOptions,
  work: (client: ControlClient) => Promise<Result>,
): Promise<Result> {
  const client = await openControl(options);
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

async function openControl(options: ControlOptions): Promise<ControlClient> {
  const { coordinator, tokenFile, nats, job, wait, insecure } = options;
  if (coordinator !== undefined && job === undefined) {
    const [flag] = [...natsFlagsOf(options), ...(insecure ? ['--insecure'] : [])];
    if (flag !== undefined) throw unused(flag, '--nats URL and --job NAME with it, got --coordinator');
    const { GrpcControl } = await import('./control-grpc.js');
    const tls = readTls(options, 'client');
    // On a terminal, the screen of `watch` must stay intact.
    tls?.watch((message) => (process.stdout.isTTY ? undefined : console.error(`lockstep: ${message}`)));
    return new GrpcControl({ address: coordinator, token: readToken(tokenFile), tls, waitMs: wait });
  }
  if (coordinator !== undefined || job === undefined) {
    const found = coordinator === undefined ? 'neither' : 'both';
    const advice = 'lockstep train prints the address';
    throw new JobError(
      'BAD_OPTION',
      `control: expected --coordinator HOST:PORT, or --nats URL with --job NAME, got ${found}; ${advice}`,
    );
  }
  if (nats === undefined) throw new JobError('BAD_OPTION', '--job: expected --nats URL with it, got none');
  const given = { '--tls-cert': options.tlsCert, '--tls-server-name': options.tlsServerName };
  const [flag] = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (flag !== undefined) throw unused(flag, '--coordinator HOST:PORT with it, got --nats and --job');
  const address = readAddress(options)!;
  const { checkWantedJob } = await import('./nats-jobs.js');
  const { NatsControlClient } = await import('./nats-control-client.js');
  return new NatsControlClient({ address, job: checkWantedJob(job), seal: sealOf(readToken(tokenFile)) }, wait);
}

function unused(flag: string, expected: string): JobError {
  return new JobError('BAD_OPTION', `${flag}: expected ${expected}; leave ${flag} out`);
}
