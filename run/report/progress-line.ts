/** Progress of a training epoch at the time of one step. */
export interface Progress {
  /** From 1. */
  readonly epoch: number;
  /** Training images of the epoch's earlier steps. */
  readonly seen: number;
  /** Training images of a whole epoch. */
  readonly total: number;
  /** Mean loss of the step. */
  readonly loss: number;
}

/** The lecture's progress line: `Train Epoch: 10 [49000/50000 (98%)]  Loss: 0.663238`. */
export function formatProgress({ epoch, seen, total, loss }: Progress): string {
  const percent = ((100 * seen) / total).toFixed(0);
  return `Train Epoch: ${epoch} [${seen}/${total} (${percent}%)]  Loss: ${loss.toFixed(6)}`;
}
