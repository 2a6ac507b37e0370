import type { JobSpec } from '../job/spec.js';

/** One split of a dataset, in memory. */
export interface Split {
  readonly count: number;
  /** Row-major u8 `[count, H, W, C]`. */
  readonly images: Uint8Array;
  /** Class index of each image, `[count]`. */
  readonly labels: Uint8Array;
}

/**
 * A labelled image dataset. Everything else (shards, coordinator, worker, report) uses this interface only, so another
 * dataset takes just one more module.
 */
export interface Dataset {
  /** Value of the spec's `data.dataset`. */
  readonly name: JobSpec['data']['dataset'];
  /** Title for reports: `CIFAR-10`, `CIFAR-10 (JPEG copy)`, `synthetic dataset (not CIFAR-10)`. */
  readonly title: string;
  /** Location of the data and evidence for the title; for display. */
  readonly origin?: string;
  /** Use of the files, and unused files; lines for display. */
  readonly notes?: readonly string[];
  readonly synthetic: boolean;
  readonly classes: readonly string[];
  /** `[H, W, C]` of every image. */
  readonly imageShape: readonly [number, number, number];
  /** Constants of pixel normalisation, `(x / 255 - mean) / deviation`, per channel. */
  readonly normalise: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** Lengths of the original training batches, in order (CIFAR-10: five of 10,000; a folder: one); for display only. */
  readonly trainBatches: readonly number[];
  readonly train: Split;
  readonly test: Split;
}
