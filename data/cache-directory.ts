import envPaths from 'env-paths';

/** The platform's cache directory for downloads and compiled programs; on Linux `~/.cache/lockstep`. */
export function cacheDirectory(): string {
  return envPaths('lockstep', { suffix: '' }).cache;
}
