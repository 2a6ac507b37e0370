import { describe, expect, it } from 'vitest';
import { foldStatistics } from '../../job/statistics.js';

describe('foldStatistics', () => {
  it('weighs the shards by their samples and applies the momentum once', () => {
    const running = Float32Array.of(8, 0);
    foldStatistics(running, Float32Array.of(0.5, 0.75), [
      { samples: 3, statistics: Float32Array.of(1, 4) },
      { samples: 1, statistics: Float32Array.of(5, 8) },
    ]);
    expect(running).toEqual(Float32Array.of(0.5 * 8 + 0.5 * 2, 0.25 * 5));
  });

  it('skips a shard without samples, whatever its statistics are', () => {
    const running = Float32Array.of(1);
    foldStatistics(running, Float32Array.of(0.5), [
      { samples: 0, statistics: Float32Array.of(NaN) },
      { samples: 2, statistics: Float32Array.of(3) },
    ]);
    expect(running).toEqual(Float32Array.of(2));
  });

  it('changes nothing when no shard has samples', () => {
    const running = Float32Array.of(1);
    foldStatistics(running, Float32Array.of(0.5), [{ samples: 0, statistics: Float32Array.of(7) }]);
    expect(running).toEqual(Float32Array.of(1));
  });
});
