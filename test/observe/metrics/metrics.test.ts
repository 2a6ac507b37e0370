import client from 'prom-client';
import { describe, expect, it } from 'vitest';
import { RunHistory } from '../../../coordinator/state/history.js';
import { decideFormat, toOpenMetrics } from '../../../observe/metrics/exposition.js';
import { createInstruments } from '../../../observe/metrics/instruments.js';
import { CounterReader, readStatus } from '../../../observe/metrics/read-gauges.js';
import { recordEvent } from '../../../observe/metrics/record-event.js';
import { RecoveryTimer } from '../../../observe/metrics/recovery-timer.js';
import type { RunEvent } from '../../../coordinator/state/events.js';
import type { StepRecord } from '../../../run/records.js';
import { Traffic } from '../../../coordinator/membership/traffic.js';
import type { StatusReply } from '../../../proto/messages.js';
import { statusReply } from '../sample-run.js';

function setup() {
  const registry = new client.Registry();
  const instruments = createInstruments(client, registry);
  const memory = { recovery: new RecoveryTimer(), clockErrorsMs: new Map<string, number>() };
  const history = new RunHistory();
  const record = (event: RunEvent, nowMs = 0) => {
    history.add(event, nowMs);
    recordEvent(event, instruments, memory, nowMs);
  };
  /** Samples of one metric by their labels, e.g. `{kind="skipped"}`. */
  const samples = async (name: string) => {
    const lines = (await registry.metrics()).split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line));
    return Object.fromEntries(
      lines.map((line) => [line.slice(name.length, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  };
  const sources = { pace: history.pace, ...memory };
  return { registry, instruments, memory, sources, record, samples };
}

const step = (index: number, change: Partial<StepRecord> = {}): RunEvent => ({
  type: 'step',
  record: {
    ...{ step: index, epoch: 1, samples: 245, loss: 2, correct: 30, learningRate: 0.1, durationMs: 50, workers: 2 },
    ...change,
  },
});
const lost: RunEvent = { type: 'worker', change: 'lost', workerId: 'w', reason: 'gone' };

describe('counters', () => {
  it('are steps, images, faults by kind, and second computations', async () => {
    const { record, samples } = setup();
    [step(0), step(1, { samples: 20 }), lost, lost].forEach((event) => record(event));
    record({ type: 'worker', change: 'left', workerId: 'w', reason: 'told to' });
    record({ type: 'skipped', step: 2, reason: 'NaN' });
    record({ type: 'fault', kind: 'numerics', workers: ['a', 'b'], shards: [0], step: 1 });
    record({ type: 'speculation', step: 1, shards: [0], from: 'a', to: 'b' });
    expect(await samples('lockstep_steps_total')).toEqual({ '': 2 });
    expect(await samples('lockstep_samples_total')).toEqual({ '': 265 });
    expect(await samples('lockstep_faults_total')).toEqual({
      '{kind="worker_lost"}': 2,
      '{kind="skipped"}': 1,
      '{kind="numerics"}': 1,
    });
    expect(await samples('lockstep_speculations_total')).toEqual({ '': 1 });
  });

  it('include how long each loss of a worker kept the run from its next step', async () => {
    const { record, samples } = setup();
    record(step(0), 100);
    record(lost, 1_000);
    record(lost, 1_400);
    record(step(1), 1_500);
    record(step(2), 9_000);
    expect(await samples('lockstep_recovery_seconds_count')).toEqual({ '': 2 });
    expect(await samples('lockstep_recovery_seconds_sum')).toEqual({ '': 0.5 + 0.1 });
  });

  it('are the phases of a step, along the path of its last partial, and each shard', async () => {
    const { record, samples, memory } = setup();
    const clock = { offsetMs: 5, errorMs: 2 };
    const remote = {
      ...{ orderReceivedMs: 1002, parametersBeginMs: 1003, parametersEndMs: 1004, sendBeginMs: 1040, sendEndMs: 1041 },
      shards: [
        { shard: 0, beginMs: 1005, endMs: 1020 },
        { shard: 1, beginMs: 1020, endMs: 1040 },
      ],
      clock,
    };
    const partials = [{ node: { first: 0, count: 2 }, firstChunkMs: 1042, lastChunkMs: 1044, remote }];
    const times = { beginMs: 1000, reducedMs: 1045, updatedMs: 1048, endMs: 1050, reduceBusyMs: 1 };
    record({ type: 'timing', timing: { step: 0, ...times, workers: [{ workerId: 'w', orders: [], partials }] } });
    const sums = await samples('lockstep_step_phase_seconds_sum');
    expect(sums).toEqual({
      '{phase="receive"}': 0.004,
      '{phase="compute"}': 0.036,
      '{phase="send"}': 0.004,
      '{phase="reduce"}': 0.001,
      '{phase="update"}': 0.003,
    });
    expect(await samples('lockstep_step_seconds_sum')).toEqual({ '': 0.05 });
    expect(await samples('lockstep_shard_compute_seconds_count')).toEqual({ '': 2 });
    expect(memory.clockErrorsMs.get('w')).toBe(2);
  });
});

describe('values read on demand', () => {
  const [worker] = statusReply.workers;
  const status: StatusReply = {
    ...statusReply,
    ...{ step: 30, totalSteps: 120, epoch: 2, audited: 3 },
    workers: [
      { ...worker!, workerId: 'a', residentBytes: 1000 },
      { ...worker!, workerId: 'b', residentBytes: 0 },
    ],
  };

  it('are progress and means over the last steps: 10 for the loss, 50 for the rate', async () => {
    const { instruments, sources, record, samples } = setup();
    for (let i = 0; i < 60; i++) record(step(i, { loss: i < 50 ? 9 : 1.5, durationMs: i < 10 ? 1000 : 50 }));
    readStatus(status, sources, instruments);
    expect(await samples('lockstep_progress_ratio')).toEqual({ '': 0.25 });
    expect(await samples('lockstep_loss_mean')).toEqual({ '': 1.5 });
    expect(await samples('lockstep_images_per_second')).toEqual({ '': 245 / 0.05 });
    expect(await samples('lockstep_left_seconds')).toEqual({ '': 90 * 0.05 });
  });

  it('are workers by state, without those that left', async () => {
    const { instruments, memory, sources, samples } = setup();
    memory.clockErrorsMs.set('a', 1).set('gone', 1);
    readStatus(status, sources, instruments);
    expect(await samples('lockstep_workers')).toMatchObject({ '{state="computing"}': 2, '{state="late"}': 0 });
    expect(await samples('lockstep_worker_resident_memory_bytes')).toEqual({ '{worker="a"}': 1000 });
    expect(await samples('lockstep_worker_clock_error_seconds')).toEqual({ '{worker="a"}': 0.001 });
    readStatus({ ...status, workers: [] }, sources, instruments);
    expect(await samples('lockstep_workers')).toMatchObject({ '{state="computing"}': 0 });
    expect(await samples('lockstep_worker_resident_memory_bytes')).toEqual({});
    expect(await samples('lockstep_worker_clock_error_seconds')).toEqual({});
  });

  it('are the run’s own counts, increased by the difference since the last reading', async () => {
    const { instruments, samples } = setup();
    const traffic = new Traffic();
    const reader = new CounterReader();
    traffic.addSent('parameters', 500);
    reader.read(traffic, 3, instruments);
    traffic.addSent('parameters', 200);
    traffic.addReceived('gradients', 40);
    reader.read(traffic, 3, instruments);
    expect(await samples('lockstep_sent_bytes_total')).toMatchObject({ '{kind="parameters"}': 700 });
    expect(await samples('lockstep_received_bytes_total')).toEqual({ '{kind="gradients"}': 40, '{kind="rows"}': 0 });
    expect(await samples('lockstep_audits_total')).toEqual({ '': 3 });
  });
});

describe('the text form', () => {
  it.each<[string | undefined, string]>([
    [undefined, 'prometheus'],
    ['*/*', 'prometheus'],
    ['text/plain', 'prometheus'],
    ['application/openmetrics-text; version=1.0.0', 'openmetrics'],
    // The Accept header of Prometheus.
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
    ['text/plain, application/openmetrics-text;q=0.3', 'prometheus'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    ['application/openmetrics-text;q=many', 'prometheus'],
  ])('for Accept: %s is %s', (accept, format) => {
    expect(decideFormat(accept)).toBe(format);
  });

  it('names counters without _total in OpenMetrics, and only in what describes them', () => {
    const text =
      '# HELP a_total Of _total.\n# TYPE a_total counter\na_total 1\n\n# HELP b_total B.\n# TYPE b_total gauge\nb_total 2\n';
    expect(toOpenMetrics(text)).toBe(
      '# HELP a Of _total.\n# TYPE a counter\na_total 1\n# HELP b_total B.\n# TYPE b_total gauge\nb_total 2\n# EOF\n',
    );
  });
});
