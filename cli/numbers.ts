import { InvalidArgumentError } from 'commander';

/** Parses seconds into milliseconds. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 10_000_000)) throw new InvalidArgumentError('expected a number of seconds above 0');
  return Math.round(value * 1000);
}

/** Parses a number of steps to trace. */
export function stepCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a number of steps from 1 on');
  return value;
}

/** Parses a number of workers or cores. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1024) throw new InvalidArgumentError('expected 1 to 1024');
  return value;
}

/** Parses a number of workers that there shall be. */
export function workerCount(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= 1024) return value;
  throw new InvalidArgumentError('expected 0 to 1024');
}

/** Parses the side of an image. */
export function pixels(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 1024) return value;
  throw new InvalidArgumentError('expected 1 to 1024 pixels');
}
