import { Command, Option } from 'commander';
import { commandName } from '../command-name.js';
import { findDatasetFor } from '../dataset.js';
import { describeFinishedRun } from '../runs/finished-run.js';
import { resolveNats } from '../options/nats-options.js';
import { positive } from '../options/numbers.js';
import { addSpecOptions, presetHelp } from '../options/options.js';
import { chooseRun } from '../runs/run-choice.js';
import { writeResultFile } from '../runs/result-file.js';
import { runCoordinator } from '../run-coordinator.js';
import { readTls } from '../options/tls-options.js';
import { readToken } from '../options/token.js';
import { addJobFileOptions, addRunOptions, checkRunFlags, type RunOptions } from './train.js';

interface CoordinatorCommandOptions extends RunOptions {
  minWorkers: number;
  result?: string;
}

/** `lockstep coordinator`: runs one job for workers started separately. */
export function coordinatorCommand(): Command {
  const command = new Command('coordinator')
    .description('run one job for workers that join from any machine, at any time')
    .argument('[job.yaml]', 'job spec, YAML or JSON, - for standard input (default: --preset, or cluster-cnn3)');
  addSpecOptions(command);
  addRunOptions(command, { listen: '127.0.0.1:50061', waitSeconds: 86_400, logLevel: 'info', http: 'none' });
  addJobFileOptions(command);
  command.addOption(
    new Option('--min-workers <n>', 'workers to wait for before the first step').argParser(positive).default(1),
  );
  command.option('--result <file>', "write the run's outcome to this file as one line of JSON");
  return command
    .addHelpText('after', presetHelp() + examples)
    .action(async (file: string | undefined, options: CoordinatorCommandOptions, self: Command) => {
      checkRunFlags(self, options);
      const { spec, runDirectory } = await chooseRun(file, options);
      const finished = await describeFinishedRun(runDirectory, spec);
      if (finished !== undefined) return console.log(finished);
      const token = readToken(options.tokenFile);
      const tls = readTls(options, 'server');
      const dataset = await findDatasetFor(spec, { data: options.data });
      process.exitCode = await runCoordinator({
        spec,
        dataset,
        runDirectory,
        nats: resolveNats(options, spec.name, token),
        listen: options.listen,
        token,
        tls,
        insecure: options.insecure,
        wantedWorkers: options.minWorkers,
        startLimitMs: options.wait,
        heartbeatLimitMs: options.heartbeatLimit,
        http: options.http,
        health: options.health,
        logLevel: options.logLevel,
        tensorboard: options.tensorboard ?? false,
        trace: options.trace,
        onResult: (result) => {
          if (options.result !== undefined) writeResultFile(options.result, result);
        },
        onListening: (address, _, print) => {
          print(`listening on ${address}; join with: ${commandName()} worker --coordinator ${address}`);
          return { finish: () => Promise.resolve(), stop: () => Promise.resolve() };
        },
      });
    });
}

const examples = `
Examples:
  lockstep coordinator --preset cluster-cnn3 --min-workers 2
  lockstep coordinator job.yaml --listen 0.0.0.0:50061 --token-file token.txt \\
    --tls-cert certs/coordinator.crt --tls-key certs/coordinator.key --tls-ca certs/ca.crt   # from lockstep certs
  lockstep coordinator job.yaml --run /data/run   # after a failure, resumes from the newest checkpoint
`;
