/**
 * Bytes of vectors and images that went to workers and came from them since this start, by kind; without what gRPC and
 * the messages around them add.
 */
export class Traffic {
  readonly sent = { parameters: 0, evaluation: 0, dataset: 0 };
  readonly received = { gradients: 0, rows: 0 };
}
