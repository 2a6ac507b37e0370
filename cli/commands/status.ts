import { credentials } from '@grpc/grpc-js';
import { Command } from 'commander';
import { callMetadata } from '../../proto/auth.js';
import { fromServiceError } from '../../proto/errors.js';
import type { StatusReply, WorkerStatus } from '../../proto/messages.js';
import { Control } from '../../proto/services.js';
import { readToken } from '../token.js';

const limitMs = 5_000;

/** `lockstep status`: what a running coordinator says of its job. */
export function statusCommand(): Command {
  return new Command('status')
    .description('ask a running coordinator how its job is doing')
    .requiredOption('--coordinator <host:port>', 'address of the coordinator')
    .option('--token-file <file>', 'shared secret of the cluster')
    .option('--json', 'print JSON')
    .action(async (options: { coordinator: string; tokenFile?: string; json?: boolean }) => {
      const status = await fetchStatus(options.coordinator, readToken(options.tokenFile));
      console.log(options.json ? JSON.stringify(status, null, 2) : describe(status));
    });
}

function fetchStatus(address: string, token: string | undefined): Promise<StatusReply> {
  const client = new Control(address, credentials.createInsecure());
  return new Promise<StatusReply>((resolve, reject) => {
    client.Status({}, callMetadata(token), { deadline: Date.now() + limitMs }, (error, reply) => {
      client.close();
      if (error || !reply) reject(fromServiceError(error!, `status of ${address}`));
      else resolve(reply);
    });
  });
}

function describe(status: StatusReply): string {
  const { job, state, reason, step, totalSteps, epoch, epochs, loss, imagesPerSecond, testAccuracy } = status;
  const rate = Math.round(imagesPerSecond).toLocaleString('en');
  const lines = [
    `${job}: ${state} (${reason})`,
    `epoch ${epoch}/${epochs}, step ${step}/${totalSteps}, loss ${loss.toFixed(4)}, ${rate} images/s, ` +
      `test accuracy ${(testAccuracy * 100).toFixed(1)} %`,
  ];
  const { faults, skipped, audited, speculated } = status;
  if (faults > 0) lines.push(`NUMERICS FAULTS: ${faults}; see the log for workers, shards and steps`);
  if (skipped > 0) lines.push(`steps left out because they were not finite: ${skipped}`);
  if (audited > 0) lines.push(`shard-steps audited: ${audited}`);
  if (speculated > 0) lines.push(`late work given to a second worker: ${speculated} times`);
  return [...lines, ...status.workers.map(describeWorker)].join('\n');
}

function describeWorker({ workerId, state, shards, holding, engine, residentBytes }: WorkerStatus): string {
  const work = state === 'standby' ? `holds ${holding.join(' ') || 'none'}` : `shards ${shards.join(' ') || 'none'}`;
  return `  ${workerId}  ${state}  ${work}  ${engine}  ${Math.round(residentBytes / 1e6)} MB`;
}
