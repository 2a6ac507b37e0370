import { expect, it } from 'vitest';
import type { ProgramInput } from '../../../engine/engine.js';
import { describeModel } from '../../../engine/model.js';
import { tf } from '../../../engine/tf.js';
import { dense, flatten, sequential } from '../topologies.js';
import { batch, common, imageShape, topology } from './model.js';
import { bitsOf, type Rig, trainOnce } from './rig.js';

const layout = await describeModel(topology);

const shared = <T extends Float32Array | Int32Array | Uint8Array>(array: T): T => {
  const Kind = array.constructor as unknown as { new (buffer: SharedArrayBuffer): T; BYTES_PER_ELEMENT: number };
  return new Kind(new SharedArrayBuffer(array.length * Kind.BYTES_PER_ELEMENT));
};

const upsampling = { class_name: 'UpSampling2D', config: { name: 'up', size: [2, 2] } };
const uncovered = { ...common, topology: sequential(imageShape, [upsampling, flatten, dense({})]) };

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

/** What does not fit is refused with what was expected and found, and the next good run gives the good bits. */
export function refusesBadInput(rig: Rig): void {
  it.each(wrongInputs)('a training step is refused with %s', async (_, change, message) => {
    const good = bitsOf(await rig.train.run(rig.input));
    const refused = rig.train.run({ ...rig.input, ...change(rig.input) });
    await expect(refused).rejects.toMatchObject({
      name: 'EngineError',
      code: 'BAD_INPUT',
      message: expect.stringContaining(message) as string,
    });
    expect(bitsOf(await rig.train.run(rig.input))).toBe(good);
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
    await expect(refused).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining(message) as string,
    });
    expect(await rig.evaluate.run(rig.input)).toEqual(good);
  });

  it('a model with an operation that is not covered is refused, with layer and kernel, and TF.js stays usable', async () => {
    const error = {
      name: 'EngineError',
      code: 'UNSUPPORTED_KERNEL',
      context: { kernel: 'ResizeNearestNeighbor', layer: 'up' },
      message: expect.stringMatching(/ResizeNearestNeighbor.*layer "up"/) as string,
    };
    await expect(rig.engine.compileTrain({ ...uncovered, mode: 'train' })).rejects.toMatchObject(error);
    await expect(rig.engine.compileEvaluate({ ...uncovered, mode: 'evaluate' })).rejects.toMatchObject(error);
    expect(bitsOf(await trainOnce(rig.engine))).toBe(bitsOf(await rig.train.run(rig.input)));
  });
}

/** Numbers that are none are never hidden: whoever sums gradients sees them, and they do not outlive their run. */
export function showsNonFiniteNumbers(rig: Rig): void {
  const isFinite = (values: Float32Array) => values.every((x) => Number.isFinite(x));

  it.each([NaN, Infinity])(
    '%f in any weight reaches the loss and the gradient, and the next run is as if it had not been',
    async (value) => {
      const good = bitsOf(await rig.train.run(rig.input));
      for (const { name, offset } of layout.parameters) {
        const { lossSum, gradient } = await rig.train.run({
          ...rig.input,
          params: rig.input.params.with(offset, value),
        });
        expect(Number.isFinite(lossSum), `loss with ${name}`).toBe(false);
        expect(isFinite(gradient), `gradient with ${name}`).toBe(false);
        expect(bitsOf(await rig.train.run(rig.input)), name).toBe(good);
      }
    },
  );

  it('NaN in any weight or running statistic reaches the rows of an evaluation, and of no other', async () => {
    const good = await rig.evaluate.run(rig.input);
    const { params, state } = rig.input;
    const broken = [
      ...layout.parameters.map(({ name, offset }) => ({ name, change: { params: params.with(offset, NaN) } })),
      ...layout.state.map(({ name, offset }) => ({ name, change: { state: state.with(offset, NaN) } })),
    ];
    for (const { name, change } of broken) {
      const { logProbabilities } = await rig.evaluate.run({ ...rig.input, ...change });
      expect(isFinite(logProbabilities), name).toBe(false);
      expect(await rig.evaluate.run(rig.input), name).toEqual(good);
    }
  });
}

/** A program's end. */
export function endsProperly(rig: Rig): void {
  it('a program finishes what was asked for before it is disposed of, and refuses what comes after; to do so twice is no error', async () => {
    const good = bitsOf(await rig.train.run(rig.input));
    const program = await rig.engine.compileTrain({ ...common, mode: 'train' });
    const rows = await rig.engine.compileEvaluate({ ...common, mode: 'evaluate' });
    const running = program.run(rig.input);
    await Promise.all([program.dispose(), rows.dispose()]);
    expect(bitsOf(await running)).toBe(good);
    await Promise.all([program.dispose(), rows.dispose()]);
    const refused = {
      name: 'EngineError',
      code: 'DISPOSED',
      message: 'run program: expected a program in use, got one that was disposed of; compile it again',
    };
    await expect(program.run(rig.input)).rejects.toMatchObject(refused);
    await expect(rows.run(rig.input)).rejects.toMatchObject(refused);
    expect(bitsOf(await rig.train.run(rig.input))).toBe(good);
  });

  it('a program that was disposed of leaves no tensor behind', async () => {
    const tensors = tf.memory().numTensors;
    await trainOnce(rig.engine);
    const rows = await rig.engine.compileEvaluate({ ...common, mode: 'evaluate' });
    await rows.run(rig.input);
    await rows.dispose();
    expect(tf.memory().numTensors).toBe(tensors);
  });
}
