import { describe, expect, it } from 'vitest';
import { drawMasks } from '../../job/dropout.js';

const mask = (name: string, rate: number, size = 10_000) => ({ name, shape: [size], size, rate });
const key = { seed: 1, step: 2, shard: 3 };

describe('drawMasks', () => {
  it.each([0.1, 0.5, 0.9])('drops a share of %d, and scales the rest so that the mean is 1', (rate) => {
    const [values] = drawMasks([mask('drop', rate)], key);
    const dropped = values!.filter((value) => value === 0).length / 10_000;
    expect(Math.abs(dropped - rate)).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / 10_000));
    const left = new Set(values!.filter((value) => value !== 0));
    expect([...left]).toEqual([Math.fround(1 / (1 - rate))]);
  });

  it('draws the same for the same seed, step, shard and layer, and other values for others', () => {
    const draw = (change: object, name = 'drop') => drawMasks([mask(name, 0.5, 64)], { ...key, ...change })[0]!.join();
    const others = [draw({ seed: 2 }), draw({ step: 3 }), draw({ shard: 2 }), draw({}, 'other')];
    expect(draw({})).toBe(draw({}));
    expect(new Set([draw({}), ...others]).size).toBe(5);
  });

  it('does not let a layer depend on the layers before it', () => {
    const [, second] = drawMasks([mask('first', 0.5), mask('second', 0.3)], key);
    expect(second).toEqual(drawMasks([mask('second', 0.3)], key)[0]);
  });

  it('is what it was in the first version that had it: a job with dropout keeps its digest', () => {
    const [values] = drawMasks([mask('drop', 0.5, 24)], key);
    expect(values!.map((value) => value / 2).join('')).toBe('110101101100110001100110');
  });
});
