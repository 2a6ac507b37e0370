import { afterEach, describe, expect, it, vi } from 'vitest';
import { collectGarbageOf } from '../../worker/garbage.js';

describe('garbage of messages', () => {
  afterEach(() => vi.unstubAllGlobals());

  const turn = () => new Promise(setImmediate);

  it('is collected at every eighth step, when what is under way is done', async () => {
    const gc = vi.fn();
    vi.stubGlobal('gc', gc);
    for (let step = 1; step <= 8; step++) {
      collectGarbageOf(step);
      expect(gc).not.toHaveBeenCalled();
      if (step < 8) await turn();
    }
    await turn();
    expect(gc.mock.calls).toEqual([[{ type: 'minor' }]]);
  });

  it('is left to V8 where Node.js does not let one ask for it', async () => {
    vi.stubGlobal('gc', undefined);
    collectGarbageOf(8);
    await turn();
  });
});
