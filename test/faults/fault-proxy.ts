import type { ReceivedFromWorker, ReceivedToWorker } from '../../proto/messages.js';
import { MessageFaults } from './message-faults.js';
import type { MessageFault } from './plan.js';
import { Relay } from './relay.js';
import { TcpCable } from './tcp-cable.js';

export interface FaultProxyOptions {
  /** Port of the coordinator; it changes with a restart. */
  readonly coordinatorPort: () => number;
  /** Sees each message from the coordinator before it is forwarded. */
  readonly onToWorker: (message: ReceivedToWorker) => void;
  /** Sees each message from the worker. */
  readonly onFromWorker: (message: ReceivedFromWorker) => void;
}

/**
 * Sits between one worker and the coordinator, on real sockets: worker, cable, relay, cable, coordinator. The relay
 * reads the messages, so that faults can be addressed by step; the cables can be held and severed.
 */
export class FaultProxy {
  #release: NodeJS.Timeout | undefined;

  private constructor(
    private readonly cables: readonly [near: TcpCable, far: TcpCable],
    private readonly relay: Relay,
    private readonly faults: MessageFaults,
  ) {}

  static async open({ coordinatorPort, onToWorker, onFromWorker }: FaultProxyOptions): Promise<FaultProxy> {
    const faults = new MessageFaults();
    const far = await TcpCable.open(coordinatorPort);
    const relay = await Relay.open({
      target: () => `127.0.0.1:${far.port}`,
      toWorker: (message) => {
        onToWorker(message);
        return faults.pass(message);
      },
      fromWorker: (message) => {
        onFromWorker(message);
        return faults.pass(message);
      },
      ended: () => faults.reset(),
    });
    const near = await TcpCable.open(() => relay.port);
    return new FaultProxy([near, far], relay, faults);
  }

  /** Address of the coordinator for the worker. */
  get address(): string {
    return `127.0.0.1:${this.cables[0].port}`;
  }

  /** Nothing passes for `ms`. */
  hold(ms: number): void {
    clearTimeout(this.#release);
    for (const cable of this.cables) cable.hold();
    this.#release = setTimeout(() => this.cables.forEach((cable) => cable.release()), ms);
  }

  /** @returns how many connections were reset. */
  sever(): number {
    return this.cables.reduce((sum, cable) => sum + cable.sever(), 0);
  }

  damage(fault: MessageFault, fired: () => void): void {
    this.faults.arm(fault, fired);
  }

  async close(): Promise<void> {
    clearTimeout(this.#release);
    this.relay.close();
    await Promise.all(this.cables.map((cable) => cable.close()));
  }
}
