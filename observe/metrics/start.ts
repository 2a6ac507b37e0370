import type { Registry } from 'prom-client';
import type { ObservedRun } from '../../coordinator/state/run-view.js';
import type { HeldEvents } from '../../coordinator/state/held-events.js';
import { subscribe } from '../../coordinator/state/subscribe.js';
import type { RecentSteps } from '../../coordinator/state/recent-steps.js';
import { type ExpositionFormat, toOpenMetrics } from './exposition.js';
import { createInstruments, type Instruments } from './instruments.js';
import { CounterReader, describeRun, readStatus } from './read-gauges.js';
import { recordEvent } from './record-event.js';
import { RecoveryTimer } from './recovery-timer.js';

/** The metrics of one run. */
export interface Metrics {
  readonly registry: Registry;
  /** All metrics as they are now, in the given text form. */
  text(format?: ExpositionFormat): Promise<string>;
  /** Counts no more; what was counted can still be read. */
  close(): Promise<void>;
}

export interface MetricsOptions {
  /** Lockstep's. */
  readonly version: string;
  /** What happened before, to be counted too. */
  readonly before?: HeldEvents | undefined;
}

/**
 * Keeps count of what happens in a coordinator's run. Loads prom-client only when called. Can be called before the job
 * is prepared: what is not known yet is missing then.
 */
export async function startMetrics(coordinator: ObservedRun, { version, before }: MetricsOptions): Promise<Metrics> {
  const client = (await import('prom-client')).default;
  const registry = new client.Registry();
  const instruments = createInstruments(client, registry);
  noValuesYet(instruments);
  instruments.build.set({ version, node: process.version.slice(1) }, 1);
  const memory = { recovery: new RecoveryTimer(), clockErrorsMs: new Map<string, number>() };
  const counters = new CounterReader();
  let pace: RecentSteps | undefined;
  for (const { event, atMs } of before?.take() ?? []) recordEvent(event, instruments, memory, atMs);
  const listening = subscribe(coordinator.events, 'metrics', (event) => {
    recordEvent(event, instruments, memory, performance.now());
  });
  const prepared = coordinator.view().then((view) => {
    describeRun(view, instruments);
    pace = view.history.pace;
  });
  prepared.catch(() => undefined);
  const read = async () => {
    instruments.coordinatorMemory.set(process.memoryUsage.rss());
    if (!pace) return;
    const status = await coordinator.status();
    readStatus(status, { pace, ...memory }, instruments);
    counters.read(coordinator.traffic, status.audited, instruments);
  };
  return {
    registry,
    text: async (format = 'prometheus') => {
      await read();
      const text = await registry.metrics();
      return format === 'openmetrics' ? toOpenMetrics(text) : text;
    },
    close: () => {
      listening.close();
      return Promise.resolve();
    },
  };
}

/** What has no value before the first step or evaluation is no number then, rather than 0. */
function noValuesYet(instruments: Instruments): void {
  const { loss, meanLoss, testLoss, accuracy, learningRate, rate, left } = instruments;
  for (const gauge of [loss, meanLoss, testLoss, accuracy, learningRate, rate, left]) gauge.set(NaN);
}
