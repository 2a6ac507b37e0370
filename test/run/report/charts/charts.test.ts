import { describe, expect, test } from 'vitest';
import { classAccuracyChart } from '../../../../run/report/charts/classes.js';
import { lossChart, lossData, lossScale } from '../../../../run/report/charts/loss.js';
import { thinCurve } from '../../../../run/report/charts/thin.js';
import { contrast, heatAnchors, heatColour, inkOn, palettes } from '../../../../run/report/palette.js';
import { loadRenderer } from '../../../../run/report/render.js';
import { summarise } from '../../../../run/report/summary.js';
import { sampleInput, sampleSteps } from '../sample.js';

describe('thinned curve', () => {
  const places = Float64Array.from({ length: 1000 }, (_, i) => i);

  test('keeps every point where there are at most two for each column', () => {
    expect(thinCurve([1, 2, 3], [5, 6, 4], 2)).toEqual([
      [1, 5],
      [2, 6],
      [3, 4],
    ]);
  });

  test('keeps the least and the greatest of each column in their order', () => {
    const values = places.map((i) => (i === 17 ? 9 : i === 203 ? -9 : i / 1000));
    const points = thinCurve(places, values, 10);
    expect(points.length).toBe(20);
    expect(points.slice(0, 6)).toEqual([
      [0, 0],
      [17, 9],
      [100, 0.1],
      [199, 0.199],
      [203, -9],
      [299, 0.299],
    ]);
  });

  test('leaves out what is not finite, and a column of nothing else', () => {
    const values = places.map((i) => (i < 100 ? NaN : i === 150 ? Infinity : 1));
    expect(thinCurve(places, values, 10)[0]).toEqual([100, 1]);
    expect(thinCurve([1, 2], [NaN, 3], 10)).toEqual([[2, 3]]);
  });
});

describe('loss axis', () => {
  test('is linear within a factor of 30 and logarithmic beyond; zeros and no steps do not count', () => {
    expect(lossScale(Float64Array.of(2.3, 0.08))).toBe('linear');
    expect(lossScale(Float64Array.of(2.3, 0.07))).toBe('log');
    expect(lossScale(Float64Array.of(2.3, 0))).toBe('linear');
    expect(lossScale(new Float64Array(0))).toBe('linear');
  });
});

describe('loss chart', () => {
  const style = { palette: palettes.light, fontFamily: 'sans-serif', width: 900 };
  /** The texts of the chart, in drawing order. */
  const texts = async (losses: number[], evaluations = sampleInput().evaluations) => {
    const steps = sampleSteps(losses.length, 205, 245).map((record, i) => ({ ...record, loss: losses[i] ?? NaN }));
    const summary = summarise(sampleInput({ steps }));
    const svg = (await loadRenderer()).svg(lossChart(lossData(summary, evaluations), style), 'test');
    return [...svg.matchAll(/>([^<]+)<\/text>/g)].map(([, text]) => text);
  };

  test('labels powers of ten on a logarithmic axis in readable form', async () => {
    const drawn = await texts(Array.from({ length: 1000 }, (_, i) => 2 * 10 ** (-i / 180)));
    for (const text of ['loss, logarithmic', '1', '0.01', '0.0001', '0.00001']) expect(drawn).toContain(text);
    expect(drawn.filter((text) => /000000|999/.test(text ?? ''))).toEqual([]);
  });

  test('names the axes and only the curves that have points', async () => {
    const drawn = await texts([2.3, 2.2, 2.1], []);
    for (const text of ['loss', 'step', 'each step', '2.5']) expect(drawn).toContain(text);
    expect(drawn).not.toContain('10-step mean');
    expect(drawn).not.toContain('test set');
  });
});

describe('colours', () => {
  test('follow the scale from its first to its last anchor', () => {
    const { light } = heatAnchors;
    expect([0, 0.25, 1, 2].map((strength) => heatColour(strength, 'light'))).toEqual([
      ...[light[0], light[1], light.at(-1), light.at(-1)],
    ]);
    expect(heatColour(0.125, 'light')).toBe('#deeaf6');
  });

  test('give every cell of the matrix readable numbers in both modes', () => {
    expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 10);
    for (const mode of ['light', 'dark'] as const) {
      for (let level = 0; level <= 200; level++) {
        const colour = heatColour(level / 200, mode);
        expect(contrast(inkOn(colour), colour)).toBeGreaterThanOrEqual(4.5);
      }
    }
  });

  test('give text at least the contrast that WCAG asks for on the charts of both modes', () => {
    for (const [mode, background] of [
      ['light', '#ffffff'],
      ['dark', '#151b23'],
    ] as const) {
      const { ink, muted, train, test: tested } = palettes[mode];
      for (const colour of [ink, muted, train, tested]) {
        expect(contrast(colour, background)).toBeGreaterThanOrEqual(4.5);
      }
    }
  });
});

describe('a picture', () => {
  test("is complete whatever the classes' names", async () => {
    const classes = ['\x1b[31mred', '<script>&"', 'a\0b', 'half \ud800'];
    const confusion = classes.map((_, i) => classes.map((_, k) => (i === k ? 3 : 1)));
    const renderer = await loadRenderer();
    const style = { palette: palettes.light, fontFamily: 'sans-serif', width: 900 };
    const svg = renderer.svg(classAccuracyChart(confusion, classes, style), 'test');
    expect(svg).toContain('\ufffd[31mred');
    expect(svg).toContain('&lt;script&gt;&amp;');
    expect((await renderer.png(svg)).byteLength).toBeGreaterThan(1_000);
  });
});
