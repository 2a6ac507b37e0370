import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as CoordinatorModule from '../../coordinator/coordinator.js';
import { contentTypes } from '../../observe/metrics/exposition.js';
import type * as RouteModule from '../../observe/metrics/route.js';
import type * as StartModule from '../../observe/metrics/start.js';
import type * as DatasetModule from '../../cli/dataset.js';
import { resolveSpec } from '../../job/resolve.js';
import { built } from '../coordinator/built.js';
import { within } from '../proto/wire.js';
import { Command, scratchDirectory } from './lockstep.js';

const { Coordinator } = await built<typeof CoordinatorModule>('coordinator/coordinator.js');
const { startMetrics } = await built<typeof StartModule>('observe/metrics/start.js');
const { metricsRoute } = await built<typeof RouteModule>('observe/metrics/route.js');
const { datasetFor } = await built<typeof DatasetModule>('cli/dataset.js');

const scratch = scratchDirectory();
afterAll(scratch.remove);

/** Two epochs of 21 steps, five shards. */
const sets = ['batchPerShard=10', 'epochs=2', 'evaluation.batch=100', 'data.dataset=synthetic', 'data.limit=205'];
const spec = resolveSpec({ preset: 'cluster-cnn3', sets });

let before = '';
let text = '';
let openMetrics = '';
const types: (string | null)[] = [];

/** A run on two workers, one of which is killed at step 8. */
beforeAll(async () => {
  const coordinator = new Coordinator({
    ...{ spec, listen: '127.0.0.1:0', token: undefined, runDirectory: join(scratch.path, 'run') },
    ...{ wantedWorkers: 2, startLimitMs: 60_000, heartbeatLimitMs: 5_000 },
    dataset: () => datasetFor(spec, {}),
  });
  const metrics = await startMetrics(coordinator, { version: '1.2.3' });
  const app = metricsRoute(metrics);
  before = await (await app.request('/metrics')).text();
  const address = await coordinator.start();
  const workers = [1, 2].map(() => new Command(['worker', '--coordinator', address]));
  coordinator.events.subscribe((event) => {
    if (event.type === 'step' && event.record.step === 8) workers[0]!.process.kill('SIGKILL');
  });
  try {
    await within(coordinator.run(), 'the run to end', 110_000);
    const answers = [await app.request('/metrics'), await app.request('/metrics', { headers: { accept: accept } })];
    types.push(...answers.map(({ headers }) => headers.get('content-type')));
    text = await answers[0]!.text();
    openMetrics = await answers[1]!.text();
    await metrics.close();
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
  }
});
const accept = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';

/** Value of a sample, by its name and labels as they are written in the text. */
const value = (sample: string, from = text) => {
  const line = from.split('\n').find((candidate) => candidate.startsWith(`${sample} `));
  expect(line, sample).toBeDefined();
  return Number(line!.slice(sample.length + 1));
};

describe('the metrics of a run', () => {
  it('are served before the job is prepared, as far as anything is known', () => {
    expect(value(`lockstep_build_info{version="1.2.3",node="${process.version.slice(1)}"}`, before)).toBe(1);
    expect(value('lockstep_steps_total', before)).toBe(0);
    expect(value('lockstep_test_accuracy_ratio', before)).toBeNaN();
    expect(before).not.toMatch(/^lockstep_run_info\{/m);
  });

  it('count its steps, images, evaluations, checkpoints and the loss of a worker', () => {
    expect(value('lockstep_steps_total')).toBe(42);
    expect(value('lockstep_samples_total')).toBe(2 * 5 * 205);
    expect(value('lockstep_evaluations_total')).toBe(2);
    expect(value('lockstep_faults_total{kind="worker_lost"}')).toBe(1);
    expect(value('lockstep_recovery_seconds_count')).toBe(1);
    expect(value('lockstep_checkpoint_seconds_count')).toBe(value('lockstep_checkpoints_total'));
    expect(value('lockstep_progress_ratio')).toBe(1);
    expect(value('lockstep_test_accuracy_ratio')).toBeGreaterThan(0);
    expect(value('lockstep_state{state="finished"}')).toBe(1);
  });

  it('show where the time of every step went: the phases together are the step', () => {
    expect(value('lockstep_step_seconds_count')).toBe(42);
    const phases = ['receive', 'compute', 'send', 'reduce', 'update'].map((phase) => {
      expect(value(`lockstep_step_phase_seconds_count{phase="${phase}"}`)).toBe(42);
      return value(`lockstep_step_phase_seconds_sum{phase="${phase}"}`);
    });
    const together = phases.reduce((a, b) => a + b);
    expect(together / value('lockstep_step_seconds_sum')).toBeGreaterThan(0.95);
    expect(together / value('lockstep_step_seconds_sum')).toBeLessThan(1.0001);
    expect(value('lockstep_shard_compute_seconds_count')).toBeGreaterThanOrEqual(42 * 5);
  });

  it('count the bytes of the vectors and images that travelled', () => {
    const parameterBytes = 4 * 137_430;
    // Two workers for nine or ten steps, one for the rest.
    const vectors = value('lockstep_sent_bytes_total{kind="parameters"}') / parameterBytes;
    expect(Number.isInteger(vectors)).toBe(true);
    expect(vectors).toBeGreaterThanOrEqual(42 + 9);
    expect(vectors).toBeLessThanOrEqual(42 + 10);
    expect(value('lockstep_received_bytes_total{kind="gradients"}')).toBeGreaterThanOrEqual(42 * parameterBytes);
    expect(value('lockstep_received_bytes_total{kind="rows"}')).toBeGreaterThan(0);
    expect(value('lockstep_sent_bytes_total{kind="dataset"}')).toBeGreaterThanOrEqual(5 * 205 * 3073);
  });

  it('say what is trained', () => {
    const info = /^lockstep_run_info\{(.*)\} 1$/m.exec(text)?.[1];
    expect(info).toMatch(
      /^job="cluster-cnn3",model="cnn3",dataset=".+",synthetic="true",digest="[0-9a-f]{12}",term="1"$/,
    );
    expect(value('lockstep_dataset_bytes') % 3073).toBe(0);
    expect(value('lockstep_coordinator_resident_memory_bytes')).toBeGreaterThan(10e6);
  });

  it('come in the text form that the request prefers', () => {
    expect(types).toEqual([contentTypes.prometheus, contentTypes.openmetrics]);
    expect(openMetrics).toMatch(/^# TYPE lockstep_steps counter\nlockstep_steps_total 42$/m);
    expect(openMetrics.endsWith('\n# EOF\n')).toBe(true);
  });
});

interface Meta {
  readonly stats: { readonly numSamples: number };
}
const promtool = (args: readonly string[], input = '') =>
  spawnSync('promtool', args, { input, encoding: 'utf8', timeout: 30_000 });
const hasPromtool = promtool(['--version']).status === 0;

describe.skipIf(!hasPromtool)('promtool (needs promtool)', () => {
  it('reports no problem in the metrics', () => {
    const { status, stdout, stderr } = promtool(['check', 'metrics'], text);
    expect(`${stdout}${stderr}`).toBe('');
    expect(status).toBe(0);
  });

  it('reads the OpenMetrics form with Prometheus’ own parser, every sample of it', () => {
    // The parser expects a timestamp with each sample, which is optional in an exposition.
    const samples = openMetrics.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const timed = openMetrics.replace(/^([^#\n].*)$/gm, '$1 1700000000');
    const file = join(scratch.path, 'openmetrics.txt');
    writeFileSync(file, timed);
    const made = promtool(['tsdb', 'create-blocks-from', 'openmetrics', file, join(scratch.path, 'tsdb')]);
    expect(made.stderr).toBe('');
    expect(made.status).toBe(0);
    const [block] = readdirSync(join(scratch.path, 'tsdb'));
    const { stats } = JSON.parse(readFileSync(join(scratch.path, 'tsdb', block!, 'meta.json'), 'utf8')) as Meta;
    expect(stats.numSamples).toBe(samples.length);
  });

  it('understands every query of the dashboard', () => {
    const rules = queries().map((expr, i) => ({ record: `query:${i}`, expr: filledIn(expr) }));
    const file = join(scratch.path, 'rules.yaml');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
    const { status, stdout, stderr } = promtool(['check', 'rules', file]);
    expect(stderr).toBe('');
    expect(stdout).toContain(`${rules.length} rules found`);
    expect(status).toBe(0);
  });
});

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: object }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}
const dashboard = JSON.parse(
  readFileSync(new URL('../../deploy/grafana/lockstep-dashboard.json', import.meta.url), 'utf8'),
) as Dashboard;
const queries = () => dashboard.panels.flatMap(({ targets }) => (targets ?? []).map(({ expr }) => expr));
const filledIn = (expr: string) => expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(job|instance)/g, '.*');
const metricsIn = (expr: string) => expr.match(/lockstep_\w+/g) ?? [];

describe('the Grafana dashboard', () => {
  it('only queries metrics that a run exports', () => {
    const exported = new Set([...text.matchAll(/^(lockstep_\w+)[{ ]/gm)].map(([, name]) => name));
    const variables = dashboard.templating.list.map(({ definition }) => definition ?? '');
    const asked = [...queries(), ...variables].flatMap(metricsIn);
    expect(asked.length).toBeGreaterThan(30);
    // Metrics of a connected worker; here the run is over.
    const ofWorkers = ['lockstep_worker_resident_memory_bytes', 'lockstep_worker_clock_error_seconds'];
    expect(asked.filter((name) => !exported.has(name) && !ofWorkers.includes(name))).toEqual([]);
    for (const name of ofWorkers) expect(text).toContain(`# TYPE ${name} gauge`);
  });

  it("has panels with unique ids that don't overlap, and lets one choose source, job and instance", () => {
    const { panels, templating } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance']);
    for (const [i, { gridPos: a, title }] of panels.entries()) {
      expect(a.x + a.w).toBeLessThanOrEqual(24);
      for (const { gridPos: b } of panels.slice(i + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(apart, title).toBe(true);
      }
    }
    for (const { type, title, targets } of panels) {
      if (type === 'row') continue;
      expect(targets!.length, title).toBeGreaterThan(0);
      for (const target of targets!) {
        expect(target.datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
        expect(target.expr, title).toMatch(/\{job=~"\$job", instance=~"\$instance"/);
      }
    }
  });
});
