// Order statistics for benchmarks, and a description of the machine.
import { cpus, totalmem } from 'node:os';

/** Value at quantile `q` (0 to 1) of `values`, linearly interpolated. */
export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)];
  return below + (sorted[Math.ceil(at)] - below) * (at - Math.floor(at));
}

export const median = (values) => quantile(values, 0.5);

/** `median (lower quartile to upper quartile, n)`. */
export function spread(values, digits = 2) {
  const f = (q) => quantile(values, q).toFixed(digits);
  return `${f(0.5)} (${f(0.25)} to ${f(0.75)}, n = ${values.length})`;
}

export function machine() {
  const [first] = cpus();
  return `${first?.model.trim()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
}
