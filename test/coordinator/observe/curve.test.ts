import { describe, expect, it } from 'vitest';
import { Curve } from '../../../coordinator/observe/curve.js';

function filled(capacity: number, values: readonly number[]): Curve {
  const curve = new Curve(capacity);
  values.forEach((value, step) => curve.add(step, value));
  return curve;
}

describe('a curve in bounded memory', () => {
  it('keeps every step while there is room', () => {
    expect(filled(4, [5, 3, 4, 1]).points()).toEqual([
      { step: 1, value: 5 },
      { step: 2, value: 3 },
      { step: 3, value: 4 },
      { step: 4, value: 1 },
    ]);
    expect(new Curve(4).points()).toEqual([]);
  });

  it('joins neighbours when it is full, and goes on in twice as long parts', () => {
    const curve = filled(4, [5, 3, 4, 2, 1, 3, 8]);
    expect(curve.points()).toEqual([
      { step: 2, value: 4 },
      { step: 4, value: 3 },
      { step: 6, value: 2 },
      { step: 7, value: 8 },
    ]);
  });

  it('has at most its capacity of points after 102,100 steps, each the mean of its part, the last step among them', () => {
    const curve = filled(
      500,
      Array.from({ length: 102_100 }, (_, step) => step),
    );
    const points = curve.points();
    expect(points.length).toBeLessThanOrEqual(500);
    expect(points.length).toBeGreaterThan(250);
    expect(points.at(-1)!.step).toBe(102_100);
    expect(points[0]).toEqual({ step: 256, value: 127.5 });
    expect(curve.points(100).length).toBeLessThanOrEqual(100);
    expect(curve.points(1)).toEqual([{ step: 102_100, value: 102_099 / 2 }]);
  });
});
