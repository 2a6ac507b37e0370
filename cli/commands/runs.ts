import { Command } from 'commander';
import { type ListedRun, listRuns } from '../../run/history/list-runs.js';
import { formatDuration, formatShare } from '../../run/report/format.js';
import type { NatsAddress } from '../../nats/address.js';
import type { RegistryEntry } from '../../nats/payloads.js';
import { JobError } from '../../job/errors.js';
import { givenFlags, refuseUnused } from '../options/unused-flags.js';
import { addNatsConnection, type NatsConnectionFlags, natsFlagsOf, readAddress } from '../options/nats-options.js';

interface RunsFlags extends NatsConnectionFlags {
  runs: string;
  json?: boolean;
}

/** `lockstep runs`: lists runs, newest first. */
export function runsCommand(): Command {
  const command = new Command('runs')
    .description('list runs with state, model, data, accuracy, digest and duration, newest first')
    .option('--runs <dir>', 'directory that contains the run directories', 'runs');
  return addNatsConnection(command, 'list the jobs of this NATS server instead')
    .option('--insecure', 'allow credentials to a NATS server beyond loopback without TLS')
    .option('--json', 'print one JSON array')
    .action(async ({ runs, json, ...flags }: RunsFlags, self: Command) => {
      const isFolder = givenFlags(self, ['--runs']).length > 0;
      if (isFolder) refuseUnused(self, ['--nats', ...natsFlagsOf(flags), '--insecure'], 'no --runs with it');
      const address = isFolder ? undefined : readAddress(flags);
      if (address) return show(await jobsOf(address), json, describeJobs);
      refuseUnused(self, ['--insecure'], '--nats URL with it');
      return show(await read(runs), json, (found) => describeRuns(found, runs));
    });
}

function show<Found>(found: Found, json: boolean | undefined, describe: (found: Found) => string): void {
  console.log(json ? JSON.stringify(found) : describe(found));
}

async function jobsOf(address: NatsAddress): Promise<RegistryEntry[]> {
  const { listJobs } = await import('../control/nats-jobs.js');
  return listJobs(address);
}

async function read(folder: string): Promise<ListedRun[]> {
  return listRuns(folder, Date.now()).catch((cause: unknown) => {
    const message = `runs: expected a directory of runs, got ${(cause as Error).message}; pass --runs DIR`;
    throw new JobError('BAD_OPTION', message, { cause });
  });
}

const heads = ['run', 'state', 'model', 'data', 'epochs', 'accuracy', 'digest', 'duration', 'when (UTC)'];

/** Formats runs as a table, followed by the problems of damaged ones. */
export function describeRuns(runs: readonly ListedRun[], folder: string): string {
  if (runs.length === 0) return `no runs in ${folder}`;
  const lines = table([heads, ...runs.map(cells)]);
  const problems = runs.flatMap(({ name, problem }) => (problem === null ? [] : [`${name}: ${problem}`]));
  return [...lines, ...(problems.length > 0 ? ['', ...problems] : [])].join('\n');
}

function cells(run: ListedRun): string[] {
  const { name, state, model, dataset, epochsDone, epochs, accuracy, digest, seconds, when } = run;
  return [
    name,
    state,
    model ?? '–',
    dataset ?? '–',
    epochs === null ? '–' : `${epochsDone}/${epochs}`,
    formatShare(accuracy ?? NaN),
    digest?.slice(0, 12) ?? '–',
    seconds === null ? '–' : formatDuration(seconds),
    when.slice(0, 16).replace('T', ' '),
  ];
}

const jobHeads = ['job', 'state', 'epoch', 'step', 'accuracy', 'digest', 'updated (UTC)'];

/** Formats the jobs of the NATS registry as a table. */
export function describeJobs(jobs: readonly RegistryEntry[]): string {
  if (jobs.length === 0) return 'no jobs';
  const rows = jobs.map(({ job, state, epoch, epochs, step, totalSteps, accuracy, digest, updatedAt }) => [
    ...[job, state, `${epoch}/${epochs}`, `${step}/${totalSteps}`, formatShare(accuracy ?? NaN)],
    ...[digest?.slice(0, 12) ?? '–', updatedAt.slice(0, 16).replace('T', ' ')],
  ]);
  return table([jobHeads, ...rows]).join('\n');
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}
