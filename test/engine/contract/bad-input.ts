import { expect, it } from 'vitest';
import type { ProgramInput } from '../../../engine/engine.js';
import { batch } from './model.js';
import { bitsOf, type Rig } from './rig.js';

const shared = <T extends Float32Array | Int32Array | Uint8Array>(array: T): T => {
  const Kind = array.constructor as unknown as { new (buffer: SharedArrayBuffer): T; BYTES_PER_ELEMENT: number };
  return new Kind(new SharedArrayBuffer(array.length * Kind.BYTES_PER_ELEMENT));
};

type Wrong = [problem: string, change: (input: ProgramInput) => Partial<ProgramInput>, message: string];

const wrongInputs: Wrong[] = [
  ['too few parameters', () => ({ params: new Float32Array(3) }), 'expected params of 2707 elements for this model, got 3'],
  ['too many images', ({ images }) => ({ images: new Uint8Array(images.length + 1) }), 'expected images of 1296 elements for a batch of 18 images [6, 6, 2], got 1297'],
  ['too few labels', () => ({ labels: new Int32Array(batch - 1) }), 'expected labels of 18 elements for a batch of 18, got 17'],
  ['a label that is no class', ({ labels }) => ({ labels: labels.with(1, 3) }), 'expected labels from 0 to 2, got 3 for sample 1'],
  ['a negative label', ({ labels }) => ({ labels: labels.with(3, -1) }), 'expected labels from 0 to 2, got -1 for sample 3'],
  ['no masks', () => ({ masks: [] }), 'expected 1 dropout masks for this model, got 0'],
  ['a mask that is too short', () => ({ masks: [new Float32Array(3)] }), 'expected mask drop of 2592 elements for this model, got 3'],
  ['parameters in shared memory', ({ params }) => ({ params: shared(params) }), 'expected params in an ArrayBuffer, got shared memory'],
  ['images in shared memory', ({ images }) => ({ images: shared(images) }), 'expected images in an ArrayBuffer, got shared memory'],
  ['labels in shared memory', ({ labels }) => ({ labels: shared(labels) }), 'expected labels in an ArrayBuffer, got shared memory'],
  ['a mask in shared memory', ({ masks }) => ({ masks: masks!.map(shared) }), 'expected mask drop in an ArrayBuffer, got shared memory'],
]; // prettier-ignore

/** Input that doesn't fit is rejected with what was expected and found, and the next good run gives the same bits. */
export function refusesBadInput(rig: Rig): void {
  const badInput = (message: string) => ({
    name: 'EngineError',
    code: 'BAD_INPUT',
    message: expect.stringContaining(message) as string,
  });

  it.each(wrongInputs)('a training step is refused with %s', async (_, change, message) => {
    const refused = rig.train.run({ ...rig.input, ...change(rig.input) });
    await expect(refused).rejects.toMatchObject(badInput(message));
  });

  it('the step after a rejected one gives the same bits', async () => {
    await expect(rig.train.run({ ...rig.input, masks: [] })).rejects.toThrow();
    expect(bitsOf(await rig.train.run(rig.input))).toBe(rig.bits);
  });

  it.each<Wrong>([
    [
      'too short a state',
      () => ({ state: new Float32Array(7) }),
      'expected state of 32 elements for this model, got 7',
    ],
    ['a state in shared memory', ({ state }) => ({ state: shared(state) }), 'expected state in an ArrayBuffer'],
    ['too few images', () => ({ images: new Uint8Array(72) }), 'expected images of 1296 elements'],
    ['too many parameters', () => ({ params: new Float32Array(9999) }), 'expected params of 2707 elements'],
  ])('an evaluation is refused with %s', async (_, change, message) => {
    const good = await rig.evaluate.run(rig.input);
    const refused = rig.evaluate.run({ ...rig.input, ...change(rig.input) });
    await expect(refused).rejects.toMatchObject(badInput(message));
    expect(await rig.evaluate.run(rig.input)).toEqual(good);
  });
}
