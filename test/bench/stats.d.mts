/** Value at quantile `q` (0 to 1) of `values`, linearly interpolated. */
export function quantile(values: readonly number[], q: number): number;
export function median(values: readonly number[]): number;
/** `median (lower quartile to upper quartile, n)`. */
export function spread(values: readonly number[], digits?: number): string;
export function machine(): string;
