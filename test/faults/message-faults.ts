import type { Parameters, Partial, ReceivedFromWorker, ReceivedToWorker } from '../../proto/messages.js';
import type { MessageFault } from './plan.js';

type Message = ReceivedFromWorker | ReceivedToWorker;

/** Damages the messages of one worker on demand; one fault at a time, each struck once. */
export class MessageFaults {
  #armed: { readonly fault: MessageFault; readonly fired: () => void } | undefined;
  /** A chunk held back so that its neighbour overtakes it. */
  #waiting: Message | undefined;

  /** Strikes at the next matching chunk. @param fired - called when it has struck. */
  arm(fault: MessageFault, fired: () => void): void {
    this.#armed = { fault, fired };
  }

  /** The messages to forward in place of `message`. */
  pass<M extends Message>(message: M): M[] {
    const chunk = chunkOf(message);
    const armed = this.#armed;
    if (!chunk || !armed || armed.fault.what !== message.message) return [message];
    switch (armed.fault.kind) {
      case 'corrupt':
        return this.#struck([flipped(message, chunk)]);
      case 'duplicate':
        // A repeated first chunk restarts its vector; a later one is the harder case.
        if (chunk.chunk === 0 && chunk.chunks > 1) return [message];
        return this.#struck([message, message]);
      case 'reorder':
        return this.#reorder(message, chunk);
      default:
        return armed.fault.kind satisfies never;
    }
  }

  /** The stream is over; a held chunk is lost with it, so the fault has yet to strike. */
  reset(): void {
    this.#waiting = undefined;
  }

  #reorder<M extends Message>(message: M, chunk: Parameters | Partial): M[] {
    const before = this.#waiting as M | undefined;
    if (before !== undefined) {
      this.#waiting = undefined;
      return this.#struck([message, before]);
    }
    if (chunk.chunk + 1 === chunk.chunks) return [message];
    this.#waiting = message;
    return [];
  }

  #struck<M>(messages: M[]): M[] {
    this.#armed?.fired();
    this.#armed = undefined;
    return messages;
  }
}

function chunkOf(message: Message): Parameters | Partial | undefined {
  if (message.message === 'parameters') return message.parameters;
  if (message.message === 'partial') return message.partial;
  return undefined;
}

/** A copy of `message` with one bit of its data flipped: the lowest bit of a value's exponent. */
function flipped<M extends Message>(message: M, chunk: Parameters | Partial): M {
  const data = Uint8Array.from(chunk.data);
  const at = 4 * Math.floor(data.length / 8) + 2;
  data[at] = data[at]! ^ 0x80;
  return { ...message, [message.message as string]: { ...chunk, data } };
}
