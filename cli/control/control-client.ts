import { type Command, Option } from 'commander';
import { isEnd } from '../../coordinator/state/events.js';
import { sealOf } from '../../nats/seal.js';
import { JobError } from '../../job/errors.js';
import type { ControlReply, HistoryReply, StatusReply } from '../../proto/messages.js';
import { addNatsConnection, type NatsConnectionFlags, natsFlagsOf, readAddress } from '../options/nats-options.js';
import { seconds } from '../options/numbers.js';
import { addTlsClientOptions, readTls, type TlsFlags } from '../options/tls-options.js';
import { readToken } from '../options/token.js';

/** Told how a run is doing. */
export interface WatchListener {
  /** About once per second, and once at the end. */
  status(status: StatusReply): void;
  /** The coordinator does not answer; told again and again until it does. @param reason - why, in words. */
  away(reason: string): void;
}

/** A running job as a person or program may look at it and steer it, whatever way the requests take. */
export interface ControlClient {
  status(): Promise<StatusReply>;
  /** @param points - the most points of the loss curve, 1 to 500. */
  history(points: number): Promise<HistoryReply>;
  pause(): Promise<ControlReply>;
  resume(): Promise<ControlReply>;
  checkpoint(): Promise<ControlReply>;
  stop(): Promise<ControlReply>;
  /** @param workers - 0 to 1024. */
  scale(workers: number): Promise<ControlReply>;
  /**
   * Follows the run, also past losses of the connection; settles when the last status told of its end, or `signal` is
   * aborted.
   * @throws ClusterError when it is refused, or nobody has answered for the time that `--wait` allows.
   */
  watch(listener: WatchListener, signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Whether nothing comes after this status. */
export function isOver({ state }: Pick<StatusReply, 'state'>): boolean {
  return isEnd(state);
}

/** What `addControlOptions` adds, as parsed. */
export interface ControlOptions extends TlsFlags, NatsConnectionFlags {
  coordinator?: string;
  job?: string;
  tokenFile?: string;
  json?: boolean;
  wait?: number;
}

/** Options that say which run a command is about, and how it answers. */
export function addControlOptions(command: Command): Command {
  command
    .option('--coordinator <host:port>', 'address of the coordinator, which it prints when it starts')
    .option('--token-file <file>', 'shared secret of the cluster');
  return addNatsConnection(addTlsClientOptions(command), 'NATS server of the job, instead of --coordinator; with --job')
    .option('--job <name>', 'job in NATS: its name there, or NAME or NAMESPACE/NAME of a TrainingJob')
    .option('--insecure', 'allow signing in to a NATS server beyond loopback without TLS')
    .option('--json', 'print JSON, one object per line');
}

/** `--wait`, for commands that go on asking. */
export function addWaitOption(command: Command): Command {
  const wait = new Option('--wait <seconds>', 'give up after this long without an answer').argParser(seconds);
  return command.addOption(wait.default(300_000, '300'));
}

/** Does `work` with the job that the options name. @throws JobError BAD_OPTION when they name none. */
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
    // A watching terminal shows the job, and nothing else may write there.
    tls?.watch((message) => (process.stdout.isTTY ? undefined : console.error(`lockstep: ${message}`)));
    return new GrpcControl({ address: coordinator, token: readToken(tokenFile), tls, waitMs: wait });
  }
  if (coordinator !== undefined || job === undefined) {
    const found = coordinator === undefined ? 'neither' : 'both';
    const advice = 'lockstep train prints its address';
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
