/**
 * True in `npm run test:system`: property tests make all their runs and tables cover every engine.
 *
 * Test files that import this run in both tiers, with less work in `npm test`.
 */
export const thorough = process.env['LOCKSTEP_THOROUGH'] !== undefined;

/** Number of runs of a property test: `full` in `npm run test:system`, a tenth of it in `npm test`. */
export function runs(full: number): number {
  return thorough ? full : Math.ceil(full / 10);
}
