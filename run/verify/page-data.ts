import type { WeightInfo } from '../../engine/engine.js';

/** The part of a weight that names a value in a flat vector. */
export type ValueRange = Pick<WeightInfo, 'name' | 'offset' | 'size'>;

/** Inputs of a shard's computation; little-endian. */
export interface ShardInputs<Bytes> {
  /** Kernel plan and constants, as `decodeKernelPlan` reads them. */
  readonly plan: Bytes;
  readonly wasm: Bytes;
  readonly params: Bytes;
  readonly images: Bytes;
  readonly labels: Bytes;
  /** All dropout masks, concatenated. */
  readonly masks: Bytes;
}

/** Results of a shard's computation: f32, little-endian, and a count. */
interface ShardResults<Bytes> {
  readonly gradient: Bytes;
  readonly statistics: Bytes;
  /** Sum over the samples. */
  readonly loss: Bytes;
  readonly correct: number;
}

/** Data of the page's script, as JSON in the page. */
export interface PageData {
  readonly batch: number;
  readonly classes: number;
  readonly parameters: readonly ValueRange[];
  readonly state: readonly ValueRange[];
  /** Base64. */
  readonly inputs: ShardInputs<string>;
  /** Computed by the writer of the page; base64. */
  readonly expected: ShardResults<string>;
}

/** Element of the page with the data. */
export const dataId = 'verify-data';
