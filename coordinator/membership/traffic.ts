export type SentKind = 'parameters' | 'evaluation' | 'dataset';
export type ReceivedKind = 'gradients' | 'rows';

/** Bytes of vectors and images sent to and received from workers since this start, by kind, without protocol overhead. */
export class Traffic {
  readonly #sent = { parameters: 0, evaluation: 0, dataset: 0 };
  readonly #received = { gradients: 0, rows: 0 };

  /** @param total - traffic of all workers, which counts the same bytes. */
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
