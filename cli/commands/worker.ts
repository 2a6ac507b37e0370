import { Command, Option } from 'commander';
import type { InstructionSet } from '../../engine/engine.js';
import { parseEndpoint } from '../../transport/listen.js';
import { localFds } from '../../transport/local/channel.js';
import { LockstepWorker } from '../../worker/worker.js';
import { exitCodeOf } from '../exit-codes.js';
import { createLog, type LogLevel, logLevels } from '../log.js';
import { isaOption } from '../options/isa-option.js';
import { positive, seconds } from '../options/numbers.js';
import { noCacheOption, programDirectory } from '../program-cache.js';
import { addTlsClientOptions, readTls, type TlsFlags } from '../options/tls-options.js';
import { readToken } from '../options/token.js';

interface WorkerCommandOptions extends TlsFlags {
  coordinator: string;
  workerId?: string;
  cores: number;
  localTransport?: boolean;
  tokenFile?: string;
  wait: number;
  cache: boolean;
  isa?: InstructionSet;
  logLevel: LogLevel;
}

/** `lockstep worker`: joins a coordinator and computes until its job ends. */
export function workerCommand(): Command {
  const command = new Command('worker')
    .description('join a coordinator and compute for its job until the job ends')
    .requiredOption('--coordinator <host:port>', 'address of the coordinator, which may start later')
    .addOption(new Option('--worker-id <id>', 'unique id of the worker').hideHelp())
    .addOption(new Option('--local-transport', "use the parent's local transport through inherited files").hideHelp())
    .option('--token-file <file>', 'file with the shared secret of the cluster');
  return addTlsClientOptions(command)
    .addOption(
      new Option(
        '--cores <n>',
        'cores shared by the workers of this host; idle cores help with the last shards of a step',
      )
        .argParser(positive)
        .default(1),
    )
    .addOption(
      new Option('--wait <seconds>', 'give up after this time without a coordinator')
        .argParser(seconds)
        .default(3_600_000, '3600'),
    )
    .addOption(isaOption())
    .addOption(noCacheOption())
    .addOption(new Option('--log-level <level>', 'lowest level on standard error').choices(logLevels).default('info'))
    .addHelpText(
      'after',
      '\nCtrl-C or SIGTERM stops the worker after its current step; its shards go to other workers.\n',
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
        isa: options.isa,
        log: (message) => log.info({ workerId: worker.workerId }, message),
      });
      tls?.watch((message) => log.warn({ workerId: worker.workerId }, message));
      const ofTrain = process.connected === true;
      const orphaned = () => worker.leave('its parent process has exited');
      process.once('disconnect', orphaned);
      // The parent may have exited while this process was loading.
      if (process.connected === false) orphaned();
      process.on('SIGTERM', () => worker.leave('SIGTERM'));
      // Ctrl-C reaches the whole process group; workers of `lockstep train` are stopped by their coordinator.
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
