import { join } from 'node:path';
import { Option } from 'commander';
import { cacheDirectory } from '../data/cache-directory.js';

/** `--no-cache`, for commands that compile programs; `cache` is true without it. */
export function noCacheOption(): Option {
  return new Option('--no-cache', 'compile programs anew instead of keeping them on disk (also: LOCKSTEP_NO_CACHE=1)');
}

/** Where compiled programs are kept; undefined where they are not to be. */
export function programDirectory(cache: boolean): string | undefined {
  const isOff = !cache || (process.env['LOCKSTEP_NO_CACHE'] ?? '') !== '';
  return isOff ? undefined : join(cacheDirectory(), 'programs');
}
