import { join } from 'node:path';
import { Option } from 'commander';
import { cacheDirectory } from '../data/cache-directory.js';

/** `--no-cache`, for commands that compile programs; `cache` is true without it. */
export function noCacheOption(): Option {
  return new Option('--no-cache', 'do not cache compiled programs on disk (also LOCKSTEP_NO_CACHE=1)');
}

/** Cache directory of compiled programs; undefined if caching is off. */
export function programDirectory(cache: boolean): string | undefined {
  const isOff = !cache || (process.env['LOCKSTEP_NO_CACHE'] ?? '') !== '';
  return isOff ? undefined : join(cacheDirectory(), 'programs');
}
