import type { Confusion } from '../../run/report/confusion.js';

/** An entry to write, with its time and number of committed updates. */
export type TensorboardItem = {
  readonly step: number;
  /** Seconds since 1970. */
  readonly wallSeconds: number;
} & (
  | { readonly kind: 'scalars'; readonly values: Readonly<Record<string, number>> }
  /** Markdown. */
  | { readonly kind: 'text'; readonly tag: string; readonly text: string }
  | {
      readonly kind: 'confusion';
      readonly title: string;
      readonly confusion: Confusion;
      readonly classes: readonly string[];
    }
);
