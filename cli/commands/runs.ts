import { Command } from 'commander';
import { type ListedRun, listRuns } from '../../coordinator/history/list-runs.js';
import { formatDuration, formatShare } from '../../coordinator/report/format.js';
import { JobError } from '../../job/errors.js';

/** `lockstep runs`: what was trained, newest first. */
export function runsCommand(): Command {
  return new Command('runs')
    .description('list runs with state, model, data, accuracy, digest and duration, newest first')
    .option('--runs <dir>', 'where the run directories are', 'runs')
    .option('--json', 'print one JSON array')
    .action(async ({ runs, json }: { runs: string; json?: boolean }) => {
      const found = await read(runs);
      console.log(json ? JSON.stringify(found) : describeRuns(found, runs));
    });
}

async function read(folder: string): Promise<ListedRun[]> {
  return listRuns(folder, Date.now()).catch((cause: unknown) => {
    const message = `runs: expected a folder with run directories, got ${(cause as Error).message}; pass --runs DIR`;
    throw new JobError('BAD_OPTION', message, { cause });
  });
}

const heads = ['run', 'state', 'model', 'data', 'epochs', 'accuracy', 'digest', 'duration', 'when (UTC)'];

/** A table; a damaged run shows why. */
export function describeRuns(runs: readonly ListedRun[], folder: string): string {
  if (runs.length === 0) return `no runs in ${folder}`;
  const rows = [heads, ...runs.map(cells)];
  const widths = heads.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
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
