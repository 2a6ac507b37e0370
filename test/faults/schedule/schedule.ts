import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, quantile } from '../../bench/stats.mjs';
import { lockstep } from '../../e2e/lockstep.js';
import { readRun } from '../run-record.js';
import { runUnder, type StruckFault } from './run.js';
import { chooseStrikes, type ClusterKind, clusterKinds } from './strikes.js';

const usage = `Usage: npm run chaos:schedule -- [--faults N] [--seed S] [--workers N] [--keep]

Runs a small job again and again under random faults, from its start to its end, in turn with the workers of
lockstep train and with workers over gRPC, until N faults (default 300) have struck. Exit code 0 if each run ends in
the digest, and the samples of every step, of an undisturbed one. --keep leaves the run directories; those of a
failed run stay in any case.`;

const heartbeatLimitMs = 1_000;
const faultsPerRun = 24;

/** A job of a few seconds, with evaluations and checkpoints long enough to be struck. */
const scheduleJob = [
  ...['--preset', 'cluster-cnn3', '--shards', '4', '--batch-per-shard', '10', '--epochs', '14'],
  ...['--set', 'data.dataset=synthetic', '--set', 'data.limit=100', '--set', 'evaluation.batch=4'],
  ...['--set', 'data.augment.flip=true', '--set', 'checkpoint.everySteps=4'],
];

export interface ScheduleOptions {
  readonly faults: number;
  readonly seed: number;
  readonly workers: number;
  readonly faultsPerRun?: number;
  /** Parent of the run directories. */
  readonly scratch: string;
  readonly say: (line: string) => void;
}

/** Runs jobs until enough faults have struck. @throws if a run fails, hangs or ends with another digest. */
export async function runSchedule(options: ScheduleOptions): Promise<Map<ClusterKind, StruckFault[]>> {
  const { faults, seed, workers, scratch, say } = options;
  const most = options.faultsPerRun ?? faultsPerRun;
  const quiet = join(scratch, 'quiet');
  const { code, stderr } = await lockstep(['train', ...scheduleJob, '--workers', '1', '--no-http', '--run', quiet]);
  if (code !== 0) throw new Error(`quiet run: expected exit code 0, got ${code}: ${stderr}`);
  const wanted = outcomeOf(quiet);
  say(`digest of the undisturbed run: ${wanted.digest}`);
  const struck = new Map<ClusterKind, StruckFault[]>(clusterKinds.map((kind) => [kind, []]));
  const count = () => [...struck.values()].flat().length;
  for (let run = 0; count() < faults; run++) {
    const kind = clusterKinds[run % clusterKinds.length]!;
    const directory = join(scratch, `run-${run}-${kind}`);
    const left = Math.min(most, faults - count());
    const bursts = chooseStrikes({ seed, run, cluster: kind, faults: left, heartbeatLimitMs });
    const begin = performance.now();
    const found = await runUnder({ kind, job: scheduleJob, workers, heartbeatLimitMs, directory }, bursts);
    struck.get(kind)!.push(...found);
    expectSame(directory, outcomeOf(directory), wanted);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const faultTimes = found.map(({ label, phase, recoveredMs }) => `${phase}: ${label} ${recoveredMs.toFixed(0)} ms`);
    say(`run ${run} (${kind}), ${seconds} s, ${count()} faults: ${faultTimes.join('; ')}`);
  }
  return struck;
}

function outcomeOf(directory: string): { readonly digest: string; readonly steps: readonly string[] } {
  const { finalDigest } = JSON.parse(readFileSync(join(directory, 'run.json'), 'utf8')) as { finalDigest: string };
  return { digest: finalDigest, steps: readRun(directory).steps };
}

function expectSame(
  directory: string,
  found: ReturnType<typeof outcomeOf>,
  wanted: ReturnType<typeof outcomeOf>,
): void {
  const step = wanted.steps.findIndex((line, i) => line !== found.steps[i]);
  const isSame = found.digest === wanted.digest && step < 0 && found.steps.length === wanted.steps.length;
  if (isSame) return;
  const detail = step < 0 ? `${found.steps.length} steps` : `"${found.steps[step]}" instead of "${wanted.steps[step]}"`;
  throw new Error(`${directory}: expected digest ${wanted.digest}, got ${found.digest} (${detail})`);
}

/** Recovery times by phase and kind of fault, as Markdown. */
function scheduleTable(struck: readonly StruckFault[]): string {
  const seconds = (faults: readonly StruckFault[], q: number) =>
    (
      quantile(
        faults.map(({ recoveredMs }) => recoveredMs),
        q,
      ) / 1000
    ).toFixed(2);
  const row = (name: string, faults: readonly StruckFault[]) =>
    `| ${name} | ${faults.length} | ${seconds(faults, 0.5)} | ${seconds(faults, 1)} |`;
  const grouped = (key: 'label' | 'phase') => {
    const names = [...new Set(struck.map((fault) => fault[key]))].sort();
    return names.map((name) =>
      row(
        name,
        struck.filter((fault) => fault[key] === name),
      ),
    );
  };
  const head = ['| Fault | Count | Recovery, median (s) | worst (s) |', '| --- | --: | --: | --: |'];
  return [...head, ...grouped('label'), ...grouped('phase'), row('all', struck)].join('\n');
}

/** @returns the exit code. */
export async function scheduleCommand(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      faults: { type: 'string', default: '300' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      workers: { type: 'string', default: '3' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'lockstep-schedule-'));
  const [faults, seed, workers] = [values.faults, values.seed, values.workers].map(Number) as [number, number, number];
  console.log(`schedule: seed ${seed}, ${workers} workers; ${machine()}`);
  try {
    const struck = await runSchedule({ faults, seed, workers, scratch, say: (line) => console.log(line) });
    for (const [kind, found] of struck) console.log(`\n${kind} workers\n\n${scheduleTable(found)}`);
    console.log(`\nPASS: seed ${seed}, ${[...struck.values()].flat().length} faults`);
    if (!values.keep) rmSync(scratch, { recursive: true, force: true });
    return 0;
  } catch (error) {
    console.log(`FAIL: ${(error as Error).message}\nrun directories: ${scratch}`);
    return 1;
  }
}
