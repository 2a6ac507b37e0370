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
 * A labelled image dataset. Everything above it (shards, coordinator, worker, report) knows only this interface, so
 * another dataset is one more module that makes it.
 */
export interface Dataset {
  /** Short identity, the spec's `data.dataset`. */
  readonly name: JobSpec['data']['dataset'];
  /** What results must call it: `CIFAR-10`, `CIFAR-10 (JPEG copy)`, `synthetic stand-in (not CIFAR-10)`. */
  readonly title: string;
  /** Where the data was found and how the title is known; for display. */
  readonly origin?: string;
  /** Use of the files, and files that aren't used; lines for display. */
  readonly notes?: readonly string[];
  readonly synthetic: boolean;
  readonly classes: readonly string[];
  /** `[H, W, C]` of every image. */
  readonly imageShape: readonly [number, number, number];
  /** Constants by which a program normalises pixels: `(x / 255 - mean) / deviation`, per channel. */
  readonly normalise: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** Lengths of the original training batches, in order (CIFAR-10: five of 10,000; a folder: one); for display only. */
  readonly trainBatches: readonly number[];
  readonly train: Split;
  readonly test: Split;
}
