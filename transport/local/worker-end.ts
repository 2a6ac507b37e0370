import { setTimeout as pause } from 'node:timers/promises';
import type { JobManifest } from '../../job/manifest.js';
import type { TreeNode } from '../../job/tree.js';
import { monotonicMs } from '../../util/clock.js';
import { ClusterError } from '../../proto/errors.js';
import type { LinkOrder, LinkResult, LocalLink } from './channel.js';
import type { SharedVector } from './shared-file.js';
import { checkCompute } from '../../worker/check-compute.js';
import { OrderQueue } from '../../worker/compute-queue.js';
import type { ShardResult } from '../../worker/shard-computer.js';
import { StepStamps } from '../../worker/step-stamps.js';
import { toReport, toSpan } from '../../worker/to-messages.js';

/** How long the coordinator may take to make room for a gradient. */
const roomLimitMs = 60_000;

/** The engine thread's end of the way past gRPC: orders of steps from the coordinator, and their results back. */
export class CoordinatorLink {
  readonly queue = new OrderQueue();
  readonly #stamps = new StepStamps();
  #term = 0;
  /** Taken in turns: what still computes with the parameters before the last is worth nothing. */
  readonly #buffers: [Float32Array, Float32Array];

  /** @param onOrder - called when there may be something to do. */
  constructor(
    private readonly link: LocalLink<LinkResult, LinkOrder>,
    private readonly manifest: JobManifest,
    onOrder: () => void,
  ) {
    const { parameterCount } = manifest;
    this.#buffers = [new Float32Array(parameterCount), new Float32Array(parameterCount)];
    // Where the coordinator could not, it sends no orders.
    link.file.open(parameterCount);
    link.listen((order) => {
      this.#ordered(order);
      onOrder();
    });
  }

  /**
   * Delivers a node's gradient sum to the coordinator; drops it if the coordinator has ended or begun another step.
   * @throws ClusterError UNREACHABLE if the coordinator makes no room for it.
   */
  async deliver(step: number, node: TreeNode, gradient: Float32Array, reports: readonly ShardResult[]): Promise<void> {
    const sendBeginMs = monotonicMs();
    const shared = this.link.file.put(gradient) ?? (await this.#roomFor(gradient));
    if (!shared) return;
    const stamps = this.#stamps.of(step, reports.map(toSpan), sendBeginMs);
    this.link.send({
      term: this.#term,
      step,
      node,
      gradient: shared,
      reports: reports.map(toReport),
      ...(stamps && { stamps }),
    });
  }

  #ordered({ compute, parameters }: LinkOrder): void {
    const { term, step, nodes, wide, sentMs } = compute;
    checkCompute(compute, this.manifest);
    this.#term = term;
    this.#stamps.ordered(step, sentMs ?? 0);
    this.queue.addNodes(step, nodes, wide);
    if (!parameters) return;
    this.#stamps.parametersBegin(step);
    const values = this.#buffers[0];
    this.link.file.take(parameters, values, `parameters of step ${step}`);
    this.#buffers.reverse();
    this.#stamps.parametersEnd();
    this.queue.keep({ step, evaluation: false, values });
  }

  /** Waits until the coordinator has room for the gradient. @returns undefined if it isn't needed any more. */
  async #roomFor(gradient: Float32Array): Promise<SharedVector | undefined> {
    const deadline = performance.now() + roomLimitMs;
    const { vector } = this.queue;
    while (this.link.isOpen && this.queue.vector === vector) {
      await pause(1);
      const shared = this.link.file.put(gradient);
      if (shared) return shared;
      if (performance.now() < deadline) continue;
      const expected = `expected the coordinator to take a gradient within ${roomLimitMs / 1000} s`;
      throw new ClusterError('UNREACHABLE', `local link: ${expected}, got none taken`);
    }
    return undefined;
  }
}
