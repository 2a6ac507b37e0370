import type { RunEvent } from '../../coordinator/state/events.js';
import type { StepRecord } from '../../run/records.js';
import type { PartialTiming, RemoteTiming, StepTiming, WorkerTiming } from '../../coordinator/state/step-timing.js';
import { names, TimelineClock, type TraceEvent, type Track } from './trace-event.js';

const coordinatorPid = 1;
const steps: Track = { pid: coordinatorPid, tid: 1 };
const arithmetic: Track = { pid: coordinatorPid, tid: 2 };
const evaluation: Track = { pid: coordinatorPid, tid: 3 };
const checkpoints: Track = { pid: coordinatorPid, tid: 4 };
const networkTid = 1;
const engineTid = 2;

type Timed = PartialTiming & { readonly remote: RemoteTiming };

/** Converts a run's events to those of a timeline. All timestamps are on the coordinator's monotonic clock. */
export class TimelineRun {
  readonly #clock: TimelineClock;
  /** Process ids of the workers, in the order of their first partials. */
  readonly #pids = new Map<string, number>();
  #last: StepRecord | undefined;

  constructor(zeroMs: number) {
    this.#clock = new TimelineClock(zeroMs);
  }

  /** First events of every timeline. */
  begin(): TraceEvent[] {
    return names(coordinatorPid, 'coordinator', ['steps', 'arithmetic', 'evaluation', 'checkpoints']);
  }

  /** @param nowMs - time of arrival, for events without a timestamp. */
  eventsOf(event: RunEvent, nowMs: number): TraceEvent[] {
    switch (event.type) {
      case 'step':
        this.#last = event.record;
        return [];
      case 'timing':
        return this.#step(event.timing);
      case 'evaluation': {
        const { epoch, loss, correct, total } = event.record;
        const name = `evaluation after epoch ${epoch}`;
        return [this.#clock.span(evaluation, name, nowMs - event.durationMs, nowMs, { loss, correct, total })];
      }
      case 'checkpoint': {
        const { step, durationMs, blockedMs } = event;
        return [this.#clock.span(checkpoints, `checkpoint ${step}`, nowMs - durationMs, nowMs, { blockedMs })];
      }
      default: {
        const { type, ...args } = event;
        const name = instantName(event);
        return name === undefined ? [] : [this.#clock.instant(steps, name, nowMs, { type, ...args })];
      }
    }
  }

  #step(timing: StepTiming): TraceEvent[] {
    const { step, workers, beginMs, reducedMs, updatedMs, endMs, reduceBusyMs } = timing;
    const clock = this.#clock;
    const record = this.#last?.step === step ? this.#last : undefined;
    const firstMs = Math.min(reducedMs, ...workers.flatMap(({ partials }) => partials.map((p) => p.firstChunkMs)));
    return [
      clock.span(steps, `step ${step}`, beginMs, endMs, record && { epoch: record.epoch, samples: record.samples }),
      ...workers.flatMap((worker) => this.#dispatches(worker)),
      clock.span(arithmetic, 'reduce', firstMs, reducedMs, { busyMs: reduceBusyMs }),
      clock.span(arithmetic, 'update', reducedMs, updatedMs),
      ...workers.flatMap((worker) => this.#worker(worker)),
      ...(record ? this.#counters(record, endMs) : []),
    ];
  }

  #counters({ loss, samples, durationMs }: StepRecord, atMs: number): TraceEvent[] {
    const rate = (samples / durationMs) * 1e3;
    return [
      this.#clock.counter(coordinatorPid, 'loss', atMs, loss),
      this.#clock.counter(coordinatorPid, 'images/s', atMs, rate),
    ];
  }

  #dispatches({ workerId, orders }: WorkerTiming): TraceEvent[] {
    return orders.map(({ beginMs, endMs }) =>
      this.#clock.span(steps, 'send parameters', beginMs, endMs, { worker: workerId }),
    );
  }

  #worker({ workerId, partials }: WorkerTiming): TraceEvent[] {
    const timed = partials.filter((partial): partial is Timed => partial.remote !== undefined);
    if (timed.length === 0) return [];
    const known = this.#pids.get(workerId);
    const pid = known ?? coordinatorPid + 1 + this.#pids.size;
    this.#pids.set(workerId, pid);
    const named = known === undefined ? names(pid, `worker ${workerId}`, ['network', 'engine']) : [];
    return [...named, this.#receive(pid, timed[0]!.remote), ...timed.flatMap((_, i) => this.#partial(pid, timed, i))];
  }

  #receive(pid: number, { parametersBeginMs, parametersEndMs, clock }: RemoteTiming): TraceEvent {
    const track = { pid, tid: networkTid };
    const args = { clockOffsetMs: clock.offsetMs, clockErrorMs: clock.errorMs };
    return this.#clock.span(track, 'receive parameters', parametersBeginMs, parametersEndMs, args);
  }

  /** Work of a worker for its `i`-th partial. It may begin to send the next one before this one has arrived. */
  #partial(pid: number, timed: readonly Timed[], i: number): TraceEvent[] {
    const { node, lastChunkMs, remote } = timed[i]!;
    const endMs = Math.min(lastChunkMs, timed[i + 1]?.remote.sendBeginMs ?? Infinity);
    const engine = { pid, tid: engineTid };
    const args = { first: node.first, shards: node.count };
    return [
      ...remote.shards.map(({ shard, beginMs, endMs: end }) =>
        this.#clock.span(engine, `shard ${shard}`, beginMs, end),
      ),
      this.#clock.span({ pid, tid: networkTid }, 'send gradients', remote.sendBeginMs, endMs, args),
    ];
  }
}

/** Name of an event without a duration; undefined for those that a timeline omits. */
function instantName(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'worker':
      return `worker ${event.change}`;
    case 'state':
      return event.state;
    case 'assignment':
      return `generation ${event.generation}`;
    case 'epoch':
      return `epoch ${event.epoch}`;
    case 'fault':
      return `${event.kind} fault`;
    case 'speculation':
    case 'skipped':
      return event.type;
    default:
      return undefined;
  }
}
