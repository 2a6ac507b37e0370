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
  /** Current values of all metrics, in the given text format. */
  text(format?: ExpositionFormat): Promise<string>;
  /** Stops counting; the metrics remain readable. */
  close(): Promise<void>;
}

export interface MetricsOptions {
  /** Version of Lockstep. */
  readonly version: string;
  /** Earlier events, counted too. */
  readonly before?: HeldEvents | undefined;
}

/**
 * Counts the events of a coordinator's run. Loads prom-client only when called. Can be called before the job is prepared;
 * unknown values are missing until then.
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
  const subscription = subscribe(coordinator.events, 'metrics', (event) => {
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
      subscription.close();
      return Promise.resolve();
    },
  };
}

/** Sets metrics without a value before the first step or evaluation to NaN rather than 0. */
function noValuesYet(instruments: Instruments): void {
  const { loss, meanLoss, testLoss, accuracy, learningRate, rate, left } = instruments;
  for (const gauge of [loss, meanLoss, testLoss, accuracy, learningRate, rate, left]) gauge.set(NaN);
}
