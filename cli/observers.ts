import type { Coordinator } from '../coordinator/coordinator.js';
import type { HttpOptions } from '../observe/page/server/decide.js';
import { HeldEvents } from '../coordinator/state/held-events.js';
import { HealthPort } from '../observe/page/server/health-port.js';
import { LivePage } from '../observe/page/server/live-page.js';
import { version } from './version.js';

export interface ObserverOptions extends HttpOptions {
  readonly runDirectory: string;
  /** Address of the health port, `[HOST:]PORT`; default: none. */
  readonly health?: string | undefined;
  /** Write event files for TensorBoard. */
  readonly tensorboard: boolean;
  /** Write a timeline of the whole run (true) or of this many steps. */
  readonly trace?: true | number | undefined;
}

interface Observer {
  close(): Promise<void>;
}

/** Observers of a run: live page with metrics, TensorBoard, timeline. Their failures don't affect the run. */
export class Observers {
  readonly #all: Observer[] = [];

  private constructor(
    private readonly options: ObserverOptions,
    private readonly page: LivePage | undefined,
    private readonly health: HealthPort | undefined,
  ) {
    for (const observer of [page, health]) if (observer) this.#all.push(observer);
  }

  /** Opens the ports of the live page and the health probes. @throws JobError BAD_OPTION */
  static async open(options: ObserverOptions): Promise<Observers> {
    const health = await HealthPort.open(options.health);
    try {
      return new Observers(options, await LivePage.open(options), health);
    } catch (error) {
      await health?.close();
      throw error;
    }
  }

  /** URL of the health port. */
  get healthAddress(): string | undefined {
    return this.health?.address;
  }

  /** Starts event files and timeline. Call it once the coordinator has locked the run directory. */
  async begin(coordinator: Coordinator): Promise<void> {
    const { tensorboard, trace } = this.options;
    if (tensorboard) this.#all.push(await openTensorboard(coordinator));
    if (trace !== undefined) this.#all.push(await openTrace(coordinator, this.options.runDirectory, trace));
  }

  /** Serves the live page once the job is prepared. Call it after the workers have been started. @returns its address. */
  serve(coordinator: Coordinator, onError: (error: Error) => void): string | undefined {
    if (!this.page) return undefined;
    const before = new HeldEvents(coordinator.events);
    this.page.serve(coordinator, { onError, routes: async () => [await metricsOf(coordinator, before)] });
    return this.page.address;
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((observer) => observer.close()));
  }
}

async function metricsOf(coordinator: Coordinator, before: HeldEvents) {
  const [{ startMetrics }, { metricsRoute }] = await Promise.all([
    import('../observe/metrics/start.js'),
    import('../observe/metrics/route.js'),
  ]);
  return metricsRoute(await startMetrics(coordinator, { version: version(), before }));
}

async function openTensorboard(coordinator: Coordinator): Promise<Observer> {
  const { startTensorboard } = await import('../observe/tensorboard/start.js');
  return startTensorboard(coordinator);
}

async function openTrace({ events }: Coordinator, directory: string, trace: true | number): Promise<Observer> {
  const { startTimeline } = await import('../observe/timeline/start.js');
  const started = startTimeline(events, { directory, steps: trace === true ? undefined : trace });
  return started.catch(({ message }: Error) => {
    events.emit({ type: 'note', message: `trace: expected to write to ${directory}, got ${message}; no timeline` });
    return { close: () => Promise.resolve() };
  });
}
