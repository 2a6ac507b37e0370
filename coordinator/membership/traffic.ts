export type SentKind = 'parameters' | 'evaluation' | 'dataset';
export type ReceivedKind = 'gradients' | 'rows';

/**
 * Bytes of vectors and images that went to workers and came from them since this start, by kind; without what gRPC and
 * the messages around them add.
 */
export class Traffic {
  readonly #sent = { parameters: 0, evaluation: 0, dataset: 0 };
  readonly #received = { gradients: 0, rows: 0 };

  /** @param total - of all workers, if this is that of one of them; counts the same. */
  constructor(private readonly total?: Traffic) {}

  get sent(): Readonly<Record<SentKind, number>> {
    return this.#sent;
  }

  get received(): Readonly<Record<ReceivedKind, number>> {
    return this.#received;
  }

  addSent(kind: SentKind, bytes: number): void {
    this.#sent[kind] += bytes;
    this.total?.addSent(kind, bytes);
  }

  addReceived(kind: ReceivedKind, bytes: number): void {
    this.#received[kind] += bytes;
    this.total?.addReceived(kind, bytes);
  }
}
