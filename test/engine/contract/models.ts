import { expect, it } from 'vitest';
import { conv, dense, flatten, type LayerJson, sequential } from '../topologies.js';
import { batch, classes, common, imageShape, masksFor } from './model.js';
import { bitsOf, type Rig, trainOnce } from './rig.js';

/** Layers of a model that is rejected in training, and in evaluation unless stated otherwise. */
interface Refused {
  readonly what: string;
  readonly layers: LayerJson[];
  readonly error: object;
  readonly inTrainingOnly?: true;
}

const unsupported = (fault: object) => ({ name: 'EngineError', code: 'UNSUPPORTED_MODEL', ...fault });

const refused: Refused[] = [
  {
    what: 'an operation that is not covered',
    layers: [{ class_name: 'UpSampling2D', config: { name: 'up', size: [2, 2] } }, flatten, dense({})],
    error: {
      name: 'EngineError',
      code: 'UNSUPPORTED_KERNEL',
      context: { kernel: 'ResizeNearestNeighbor', layer: 'up' },
      message: expect.stringContaining('got ResizeNearestNeighbor in layer "up"') as string,
    },
  },
  {
    what: 'a kernel whose gradient TF.js has not got',
    layers: [
      conv({}),
      { class_name: 'ThresholdedReLU', config: { name: 'threshold', theta: 0.5 } },
      flatten,
      dense({}),
    ],
    error: unsupported({ context: { layer: 'threshold' } }),
    inTrainingOnly: true,
  },
  {
    what: 'a layer that TF.js cannot compute',
    layers: [conv({}), { class_name: 'Softmax', config: { name: 'rows', axis: 1 } }, flatten, dense({})],
    error: unsupported({ context: { layer: 'rows' } }),
  },
  {
    what: 'a batch norm over rows',
    layers: [conv({}), { class_name: 'BatchNormalization', config: { name: 'norm', axis: 1 } }, flatten, dense({})],
    error: unsupported({ context: { layer: 'norm' } }),
    inTrainingOnly: true,
  },
  {
    what: 'a softmax at the end',
    layers: [flatten, dense({ activation: 'softmax' })],
    error: unsupported({ message: expect.stringContaining('got softmax') as string }),
  },
  {
    what: 'other shapes than the data',
    layers: [flatten, dense({ units: 10 })],
    error: unsupported({
      message: expect.stringContaining(
        'expected a model with images [6, 6, 2] in and 3 logits out, got [6, 6, 2] in and [10] out',
      ) as string,
    }),
  },
];

/** Every engine accepts the same models, and rejects others with the same message; TF.js stays usable. */
export function takesTheSameModels(rig: Rig): void {
  it.each(refused)('with $what is refused at compilation', async ({ layers, error, inTrainingOnly }) => {
    const spec = { ...common, topology: sequential(imageShape, layers) };
    await expect(rig.engine.compileTrain({ ...spec, mode: 'train' })).rejects.toMatchObject(error);
    if (!inTrainingOnly) {
      await expect(rig.engine.compileEvaluate({ ...spec, mode: 'evaluate' })).rejects.toMatchObject(error);
    }
  });

  it('is compiled after another was rejected, and gives the same bits', async () => {
    const spec = { ...common, topology: sequential(imageShape, refused[0]!.layers), mode: 'train' } as const;
    await expect(rig.engine.compileTrain(spec)).rejects.toThrow();
    expect(bitsOf(await trainOnce(rig.engine))).toBe(rig.bits);
  });

  it('with dropout names its masks, with their shape and rate', () => {
    expect(rig.train.masks).toEqual(masksFor(batch));
  });

  it('without running statistics and dropout needs neither', async () => {
    const bare = sequential(imageShape, [flatten, dense({})]);
    const zeros = { params: new Float32Array(72 * 3 + 3), state: new Float32Array(0) };
    const { lossSum, statistics } = await trainOnce(rig.engine, { topology: bare }, zeros);
    expect(lossSum).toBeCloseTo(batch * Math.log(classes), 4);
    expect(statistics.length).toBe(0);
  });
}
