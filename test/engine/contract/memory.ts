import { expect, it } from 'vitest';
import type { OtherProcess } from './other-process.js';

/** A gradient has 26 KB: those of 400 steps are 10 MB. */
const residentBound = 8 * 2 ** 20;
/** A leak of 1 KB per step would be 2 MB. TensorFlow's binding is still being compiled when the steps begin: 1 MB. */
const heapBound = 2 * 2 ** 20;

/** Steps leak no memory. */
export function staysFlat(other: () => Promise<OtherProcess>): void {
  it('leave memory as it was, including rejected ones and evaluations', async () => {
    const { before, after } = (await other()).memory;
    expect(after.residentBytes - before.residentBytes).toBeLessThan(residentBound);
    expect(after.heapBytes - before.heapBytes).toBeLessThan(heapBound);
    const counts = ({ tensors, tensorBytes, buffers }: typeof before) => ({ tensors, tensorBytes, buffers });
    expect(counts(after)).toEqual(counts(before));
  });
}
