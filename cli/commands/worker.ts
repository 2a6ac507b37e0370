import { Command, Option } from 'commander';
import { parseEndpoint } from '../../coordinator/membership/listen.js';
import { localFds } from '../../transport/local/channel.js';
import { LockstepWorker } from '../../worker/worker.js';
import { exitCodeOf } from '../exit-codes.js';
import { createLog, type LogLevel, logLevels } from '../log.js';
import { positive, seconds } from '../numbers.js';
import { noCacheOption, programDirectory } from '../program-cache.js';
import { addTlsClientOptions, readTls, type TlsFlags } from '../tls-options.js';
import { readToken } from '../token.js';

interface WorkerCommandOptions extends TlsFlags {
  coordinator: string;
  workerId?: string;
  cores: number;
  localTransport?: boolean;
  tokenFile?: string;
  wait: number;
  cache: boolean;
  logLevel: LogLevel;
}

/** `lockstep worker`: joins a coordinator and computes until its job is over. */
export function workerCommand(): Command {
  const command = new Command('worker')
    .description('join a coordinator and compute for it until its job is over')
    .requiredOption('--coordinator <host:port>', 'address of the coordinator; it may be started later')
    .addOption(new Option('--worker-id <id>', 'its name in the cluster, for whoever starts it').hideHelp())
    .addOption(
      new Option(
        '--local-transport',
        'exchange steps with the process that started it through inherited files',
      ).hideHelp(),
    )
    .option('--token-file <file>', 'shared secret of the cluster');
  return addTlsClientOptions(command)
    .addOption(
      new Option(
        '--cores <n>',
        'cores that the workers of this host share; idle ones help with the last shards of a step',
      )
        .argParser(positive)
        .default(1),
    )
    .addOption(
      new Option('--wait <seconds>', 'give up after this long without a coordinator')
        .argParser(seconds)
        .default(3_600_000, '3600'),
    )
    .addOption(noCacheOption())
    .addOption(new Option('--log-level <level>', 'lowest level on standard error').choices(logLevels).default('info'))
    .addHelpText(
      'after',
      '\nStop it with Ctrl-C or SIGTERM: it leaves after what it computes, and its shards go to the other workers.\n',
    )
    .action(async (options: WorkerCommandOptions) => {
      const log = createLog(options.logLevel);
      parseEndpoint(options.coordinator, '--coordinator');
      const tls = readTls(options, 'client');
      const worker = new LockstepWorker({
        coordinator: options.coordinator,
        workerId: options.workerId,
        token: readToken(options.tokenFile),
        tls,
        waitMs: options.wait,
        cores: options.cores,
        localFds: options.localTransport ? localFds : undefined,
        cacheDirectory: programDirectory(options.cache),
        log: (message) => log.info({ workerId: worker.workerId }, message),
      });
      tls?.watch((message) => log.warn({ workerId: worker.workerId }, message));
      const ofTrain = process.connected === true;
      const orphaned = () => worker.leave('the process that started it is gone');
      process.once('disconnect', orphaned);
      // It may have gone while this one was loading.
      if (process.connected === false) orphaned();
      process.on('SIGTERM', () => worker.leave('SIGTERM'));
      // Ctrl-C reaches the whole process group; a worker of `lockstep train` waits to be sent home.
      process.on('SIGINT', () => {
        if (!ofTrain) worker.leave('SIGINT');
      });
      try {
        const { reason } = await worker.run();
        log.info({ workerId: worker.workerId }, `done: ${reason}`);
      } catch (error) {
        log.error({ workerId: worker.workerId }, (error as Error).message);
        process.exitCode = exitCodeOf(error);
      } finally {
        if (process.connected) process.disconnect();
      }
      // A pending TCP connect can't be cancelled and would keep the process alive for two minutes.
      process.exit();
    });
}
