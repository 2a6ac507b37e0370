import { InvalidArgumentError } from 'commander';
import { maxTimerMs } from '../../util/clock.js';

/** Parses seconds into milliseconds within a timer's range. */
export function seconds(text: string): number {
  const ms = isNumber(text) ? Math.round(Number(text) * 1000) : NaN;
  if (!(ms >= 1)) throw new InvalidArgumentError('expected a number of seconds above 0');
  if (ms > maxTimerMs) throw new InvalidArgumentError(`expected at most ${Math.floor(maxTimerMs / 1000)} s`);
  return ms;
}

/** True if `text` is a decimal number, such as `-1.5e3`. */
export function isNumber(text: string): boolean {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text);
}

/** Parses a number of steps to trace. */
export function stepCount(text: string): number {
  const value = wholeNumber(text);
  if (!(value >= 1)) throw new InvalidArgumentError('expected a whole number of steps, 1 or more');
  return value;
}

/** Parses a number of workers or cores. */
export function positive(text: string): number {
  const value = wholeNumber(text);
  if (!(value >= 1 && value <= 1024)) throw new InvalidArgumentError('expected 1 to 1024');
  return value;
}

/** Parses a target number of workers, which may be 0. */
export function workerCount(text: string): number {
  const value = wholeNumber(text);
  if (value <= 1024) return value;
  throw new InvalidArgumentError('expected 0 to 1024');
}

/** Parses the side length of an image. */
export function pixels(text: string): number {
  const value = wholeNumber(text);
  if (value >= 1 && value <= 1024) return value;
  throw new InvalidArgumentError('expected 1 to 1024 pixels');
}

/** @returns NaN unless `text` is a non-negative safe integer. */
function wholeNumber(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : NaN;
}
