import envPaths from 'env-paths';

/** Directory for what can be had again, by the platform's custom (Linux: `~/.cache/lockstep`): downloads, programs. */
export function cacheDirectory(): string {
  return envPaths('lockstep', { suffix: '' }).cache;
}
