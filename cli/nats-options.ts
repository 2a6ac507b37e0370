import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { checkJobName, parseNatsUrl } from '../coordinator/observe/nats/address.js';
import type { NatsOptions, OpenNats } from '../coordinator/observe/nats/open.js';
import { JobError } from '../job/errors.js';
import type { JobSpec } from '../job/spec.js';

/** What `addNatsOptions` adds, as parsed. */
export interface NatsFlags {
  nats?: string | undefined;
  natsCreds?: string | undefined;
  natsJob?: string | undefined;
}

/** Options that say where NATS is, for commands that run a job. */
export function addNatsOptions(command: Command): Command {
  return command
    .addOption(natsOption('tell NATS of the run: events, metrics, checkpoints; it can be steered from there'))
    .option('--nats-creds <file>', 'credentials file for NATS')
    .option('--nats-job <name>', 'name of the job in NATS (default: that of the spec)');
}

export function natsOption(help: string): Option {
  return new Option('--nats <url>', help).env('LOCKSTEP_NATS');
}

/** @returns undefined without `--nats`. @throws JobError BAD_OPTION */
export function resolveNats({ nats, natsCreds, natsJob }: NatsFlags, specName: string): NatsOptions | undefined {
  if (nats !== undefined) {
    const creds = natsCreds === undefined ? undefined : readCreds(natsCreds);
    return { address: parseNatsUrl(nats), creds, job: checkJobName(natsJob ?? specName) };
  }
  const alone = natsCreds !== undefined ? '--nats-creds' : natsJob !== undefined ? '--nats-job' : undefined;
  if (alone === undefined) return undefined;
  throw new JobError('BAD_OPTION', `${alone}: expected --nats URL with it, got none`);
}

/** Takes the job in NATS, before its coordinator is made. */
export async function openNatsFor(
  options: { readonly nats?: NatsOptions | undefined; readonly spec: JobSpec; readonly runDirectory: string },
  onNote: (message: string) => void,
): Promise<OpenNats | undefined> {
  if (!options.nats) return undefined;
  const { openNats } = await import('../coordinator/observe/nats/open.js');
  return openNats({ ...options.nats, spec: options.spec, runDirectory: options.runDirectory, onNote });
}

export function readCreds(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    const message = `--nats-creds: expected a readable file, got ${(cause as Error).message}`;
    throw new JobError('BAD_OPTION', message, { cause });
  }
}
