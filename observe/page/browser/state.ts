import {
  type CurvePoints,
  type EvaluationPoint,
  type EventEntry,
  type LiveStatus,
  limits,
  type RunDescription,
  type RunUpdate,
  thinned,
} from '../../../coordinator/state/feed.js';
import type { DigestEntry } from '../../../run/records.js';

/** Names of the curves in an update. */
type CurveName = Exclude<keyof CurvePoints, 'from'>;
type Curves = Readonly<Record<CurveName, readonly number[]>>;

/** The page's copy of the run's state. */
export interface PageState {
  readonly run: RunDescription;
  readonly status: LiveStatus;
  readonly curves: Curves;
  /** The oldest first. */
  readonly events: readonly EventEntry[];
  readonly evaluations: readonly EvaluationPoint[];
  readonly confusion: readonly (readonly number[])[] | undefined;
  readonly hasPictures: boolean;
  readonly digests: readonly DigestEntry[];
}

const curveNames = [
  'loss',
  'meanLoss',
  'accuracy',
  'meanAccuracy',
  'learningRate',
  'speed',
] as const satisfies readonly CurveName[];

const noCurves: Curves = { loss: [], meanLoss: [], accuracy: [], meanAccuracy: [], learningRate: [], speed: [] };

/** The state after an update; a whole update replaces the previous state. */
export function applyUpdate(run: RunDescription, before: PageState | undefined, update: RunUpdate): PageState {
  const base = update.whole ? undefined : before;
  return {
    run,
    status: update.status,
    curves: extend(base?.curves ?? noCurves, update.curves),
    events: [...(base?.events ?? []), ...update.events].slice(-limits.events),
    evaluations: thinned([...(base?.evaluations ?? []), ...update.evaluations], limits.evaluations),
    confusion: update.confusion ?? base?.confusion,
    hasPictures: update.hasPictures,
    digests: [...(base?.digests ?? []), ...update.digests].slice(-limits.digests),
  };
}

/** Curves with the points from some step on replaced; the same object if nothing changes. */
function extend(before: Curves, update: CurvePoints): Curves {
  if (before !== noCurves && curveNames.every((name) => update[name].length === 0)) return before;
  const curves = { ...before };
  for (const name of curveNames) curves[name] = [...upTo(before[name], update.from), ...update[name]];
  return curves;
}

/** The points before a step. */
function upTo(points: readonly number[], step: number): readonly number[] {
  let end = points.length;
  while (end > 0 && points[end - 2]! >= step) end -= 2;
  return points.slice(0, end);
}

/** Points as columns; `place` maps a step to its x value. */
export function columns(points: readonly number[], place: (step: number) => number) {
  const count = points.length / 2;
  return {
    x: Float64Array.from({ length: count }, (_, i) => place(points[2 * i]!)),
    y: Float64Array.from({ length: count }, (_, i) => points[2 * i + 1]!),
  };
}
