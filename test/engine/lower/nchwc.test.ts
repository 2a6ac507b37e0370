import { createHash } from 'node:crypto';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { OnnxWriter } from '../../../engine/emit/onnx-writer.js';
import { EngineError } from '../../../engine/errors.js';
import type { Rules } from '../../../engine/lower/lowering.js';
import { nchwcRules } from '../../../engine/lower/nchwc.js';
import { portable } from '../../../engine/lower/portable.js';
import { createOnnxEngine } from '../../../engine/onnx/engine.js';
import { compileProbe } from '../../../engine/onnx/compile.js';
import { probeDifference, probeNchwc } from '../../../engine/onnx/probe.js';
import { probeProgram } from '../../../engine/onnx/probe-program.js';
import { OnnxSession } from '../../../engine/onnx/session.js';
import { tf } from '../../../engine/model/tfjs/tf.js';
import { inputsOf, onCpu, onOnnx, type Outcome, type ParityCase, relativeError } from '../parity/compare.js';

const probe = await probeNchwc(1);
const reason = 'problem' in probe ? probe.problem : undefined;
const block = 'block' in probe ? probe.block : 16;
const rules = nchwcRules(block);
if (reason !== undefined) console.warn(`nchwc tests are skipped: ${reason}`);

/** Images, input channels, filters, side of the filter, stride, padding, rows and columns of x. */
type Shape = readonly [number, number, number, number, number, 'same' | 'valid', readonly [number, number]];

/** Channels and images in blocks, so that the cases mean the same whatever the block size. */
const b = block;
const shapes: Record<string, Shape> = {
  'few channels to one block, no whole block of images': [5, 3, b, 7, 1, 'same', [8, 8]],
  'few channels to one block, one image left over': [b + 1, 3, b, 5, 1, 'same', [8, 8]],
  'few channels to one block, odd rows': [b, 3, b, 5, 1, 'same', [7, 6]],
  'one channel to two blocks': [b, 1, 2 * b, 3, 1, 'same', [6, 5]],
  'one block to two, even rows': [2 * b + 3, b, 2 * b, 5, 1, 'same', [6, 8]],
  'one block to one': [2 * b + 1, b, b, 5, 1, 'same', [8, 8]],
  'two blocks to four': [b, 2 * b, 4 * b, 3, 1, 'same', [4, 4]],
  'four images': [4, b, 2 * b, 3, 1, 'same', [6, 6]],
  'one image': [1, b, 2 * b, 3, 1, 'same', [6, 6]],
  'stride 2, even rows': [b + 4, 2 * b, b, 3, 2, 'same', [8, 8]],
  'stride 2, odd rows': [b + 4, b, 2 * b, 3, 2, 'same', [9, 9]],
  'stride 2, 1×1 filter': [b + 1, b, 2 * b, 1, 2, 'same', [8, 6]],
  'stride 3, 5×5 filter, odd rows': [b, b, b, 5, 3, 'same', [11, 7]],
  'stride 2 that leaves out the last row and column': [b, b, b, 3, 2, 'valid', [8, 8]],
  'valid padding, odd rows': [b + 2, b, b, 5, 1, 'valid', [9, 9]],
  'valid padding, even rows': [b + 2, b, b, 5, 1, 'valid', [10, 8]],
  'even filter': [b, b, b, 4, 1, 'same', [6, 6]],
  '1×1 filter': [b + 3, 2 * b, 3 * b, 1, 1, 'same', [6, 6]],
  'input channels that fill no block': [b, b + 4, b, 3, 1, 'same', [6, 6]],
  'output channels that fill no block': [b, b, b + 4, 3, 1, 'same', [6, 6]],
};
const cases = Object.entries(shapes).map(([name, [batch, ci, co, k, stride, pad, [height, width]]]): ParityCase => {
  const conv = (x: Tensor, w: Tensor) => tf.conv2d(x as Tensor4D, w as Tensor4D, stride, pad);
  return {
    name,
    shapes: [[batch, height, width, ci], [k, k, ci, co], [co]],
    f: (x, w, bias) => tf.add(conv(x, w), bias),
  };
});

describe.skipIf(reason !== undefined)(
  "direct convolutions (needs a CPU with ONNX Runtime's blocked convolutions)",
  () => {
    it.each(cases)('have the value and the gradients of TF.js: $name', async (test) => {
      const inputs = inputsOf(test);
      const expected = await onCpu(test, inputs);
      const actual = await onOnnx(test, inputs, { rules });
      expect(relativeError(actual.value, expected.value)).toBeLessThan(2e-6);
      actual.gradients.forEach((gradient, i) => {
        expect(relativeError(gradient, expected.gradients[i]!)).toBeLessThan(5e-6);
      });
    });

    // The portable filter gradient, which the last case falls back to, doesn't promise this for every shape.
    it.each(cases.slice(0, -1))('have the same bits with two threads: $name', async (test) => {
      const inputs = inputsOf(test);
      const one = await onOnnx(test, inputs, { rules, threads: 1 });
      const two = await onOnnx(test, inputs, { rules, threads: 2 });
      const digest = ({ value, gradients }: Outcome) => [value, ...gradients].map(digestOf);
      expect(digest(two)).toEqual(digest(one));
    });

    it('serve an evaluation, in which a batch norm is folded into them', async () => {
      const test: ParityCase = {
        name: 'batch norm with given statistics',
        shapes: [[3, 6, 6, 3], [5, 5, 3, b], [b], [b], [b]],
        f: (x, w, mean, scale, bias) => {
          const y = tf.add(tf.conv2d(x as Tensor4D, w as Tensor4D, 1, 'same'), bias);
          return tf.add(tf.mul(tf.sub(y, mean), scale), bias);
        },
      };
      const inputs = inputsOf(test);
      const expected = await onCpu(test, inputs);
      const types = await operatorsOf(() => onOnnx(test, inputs, { rules }));
      expect(relativeError((await onOnnx(test, inputs, { rules })).value, expected.value)).toBeLessThan(2e-6);
      expect(types).toContain('com.microsoft.nchwc.Conv');
    });

    it.each([
      ['a convolution and both gradients of it', [b, b, b, 3, 1], 3],
      ['images left over, the filter gradient once more', [b + 1, b, b, 3, 1], 4],
      ['of a stride, the same', [b, b, b, 3, 2], 3],
      ['one image of odd height, the convolution and the input gradient', [1, b, b, 3, 1], 2],
      ['without blocks of channels, none', [b, b + 4, b + 4, 3, 1], 0],
    ] as const)('are used for %s', async (_, [batch, ci, co, k, stride], count) => {
      const test: ParityCase = {
        name: '',
        shapes: [
          [batch, 9, 9, ci],
          [k, k, ci, co],
        ],
        f: (x, w) => tf.conv2d(x as Tensor4D, w as Tensor4D, stride, 'same'),
      };
      const types = await operatorsOf(() => onOnnx(test, inputsOf(test), { rules }));
      expect(types.filter((type) => type === 'com.microsoft.nchwc.Conv').length).toBe(count);
    });
  },
);

/** Images, channels, side of the images, window and stride of the pooling. */
type Pooling = readonly [number, number, number, number, number];

/** Convolution, batch norm, ReLU and pooling, as in the built-in models. */
function pooled([batch, channels, side, window, stride]: Pooling): ParityCase {
  return {
    name: '',
    shapes: [[batch, side, side, 3], [3, 3, 3, channels], [channels], [channels]],
    f: (x, w, gamma, beta) => {
      const y = tf.conv2d(x as Tensor4D, w as Tensor4D, 1, 'same');
      const { mean, variance } = tf.moments(y, [0, 1, 2]);
      const z = tf.relu(tf.batchNorm4d(y, mean as never, variance as never, beta as never, gamma as never, 1e-3));
      return tf.maxPool(z, window, stride, 'valid');
    },
  };
}

const poolings: Record<string, Pooling> = {
  'one block of channels, windows of 2×2': [5, b, 8, 2, 2],
  'two blocks of channels, windows of 2×2': [3, 2 * b, 8, 2, 2],
  'windows of 3×3': [2, b, 9, 3, 3],
  'windows that leave out the last row and column': [2, b, 9, 2, 2],
  'windows that overlap': [2, b, 9, 3, 2],
  'channels that fill no block': [3, b + 4, 8, 2, 2],
};

describe.skipIf(reason !== undefined)(
  "images in blocks of channels (needs a CPU with ONNX Runtime's blocked convolutions)",
  () => {
    it.each(Object.entries(poolings))('have the value and the gradients of TF.js: %s', async (_, pooling) => {
      const test = pooled(pooling);
      const inputs = inputsOf(test);
      const expected = await onCpu(test, inputs);
      for (const threads of [1, 2]) {
        const actual = await onOnnx(test, inputs, { rules, threads });
        expect(relativeError(actual.value, expected.value)).toBeLessThan(2e-6);
        actual.gradients.forEach((gradient, i) => {
          expect(relativeError(gradient, expected.gradients[i]!)).toBeLessThan(5e-6);
        });
      }
    });

    it('give the gradient of equal elements of a window to the first', async () => {
      const test = ties;
      const inputs = [Float32Array.from({ length: 2 * 4 * 4 * b }, (_, i) => Math.floor(i / b) % 3)];
      const expected = await onCpu(test, inputs);
      const actual = await onOnnx(test, inputs, { rules });
      expect(actual.gradients[0]).toEqual(expected.gradients[0]);
      expect(actual.gradients[0]!.filter((g) => g !== 0).length).toBeLessThanOrEqual(2 * 2 * 2 * b);
    });

    it('stay so from convolution to pooling and back', async () => {
      const test = pooled([b, 2 * b, 8, 2, 2]);
      const types = await operatorsOf(() => onOnnx(test, inputsOf(test), { rules }));
      const count = (type: string) => types.filter((other) => other === type).length;
      expect([count('com.microsoft.nchwc.MaxPool'), count('MaxPool'), count('BatchNormalization')]).toEqual([2, 0, 0]);
      expect(count('com.microsoft.nchwc.Upsample')).toBe(3);
    });

    it("add up the gradients of two branches in the convolution of one of them, with TF.js's result", async () => {
      const inputs = inputsOf(parting);
      const expected = await onCpu(parting, inputs);
      let actual: Outcome | undefined;
      const types = await operatorsOf(async () => (actual = await onOnnx(parting, inputs, { rules })));
      // The remaining one belongs to the square in `weighted`.
      expect(types.filter((type) => type === 'Add')).toEqual(['Add']);
      actual!.gradients.forEach((gradient, i) => {
        expect(relativeError(gradient, expected.gradients[i]!)).toBeLessThan(2e-6);
      });
    });
  },
);

/** Two branches after a convolution that meet again; the gradient there is the sum of theirs. */
const parting: ParityCase = {
  name: 'parting',
  shapes: [
    [b + 1, 6, 6, b],
    [3, 3, b, 2 * b],
    [3, 3, 2 * b, 2 * b],
  ],
  f: (x, first, second) => {
    const conv = (input: Tensor, w: Tensor) => tf.conv2d(input as Tensor4D, w as Tensor4D, 1, 'same');
    const y = conv(x, first);
    return tf.mul(conv(y, second), y);
  },
};

/** An identity convolution, so that its result is in blocks, and pooling of equal elements. */
const ties: ParityCase = {
  name: 'ties',
  shapes: [[2, 4, 4, b]],
  f: (x) => {
    const identity = tf.reshape(
      tf.tensor2d(
        Array.from({ length: b * b }, (_, i) => Number(i % (b + 1) === 0)),
        [b, b],
      ),
      [1, 1, b, b],
    );
    return tf.maxPool(tf.conv2d(x as Tensor4D, identity as Tensor4D, 1, 'same'), 2, 2, 'valid');
  },
};

/** SHA-256 of the numbers. */
function digestOf(values: Float32Array): string {
  return createHash('sha256').update(values).digest('hex');
}

/** Types of the operators that `action` writes. */
async function operatorsOf(action: () => Promise<unknown>): Promise<string[]> {
  const op = vi.spyOn(OnnxWriter.prototype, 'op');
  try {
    await action();
    return op.mock.calls.map(([type]) => type);
  } finally {
    op.mockRestore();
  }
}

describe('the choice of a lowering', () => {
  it('is nchwc with the block size of the machine, unless another is asked for', async () => {
    const automatic = await createOnnxEngine({ threads: 1 });
    expect(automatic.info.lowering).toBe(reason === undefined ? `nchwc${block}` : 'portable');
    const demanded = await createOnnxEngine({ threads: 1, lowering: 'portable' });
    expect(demanded.info.lowering).toBe('portable');
  });

  it.skipIf(reason !== undefined)(
    "depends on a program whose results tell right formulations from wrong ones (needs a CPU with ONNX Runtime's blocked convolutions)",
    async () => {
      const negated: Rules = {
        ...portable,
        convFilter: (lowering, node) => {
          portable.convFilter(lowering, node);
          lowering.define(node, lowering.writer.op('Neg', [lowering.get(node)]));
        },
      };
      const difference = (probed: Rules) =>
        probeDifference(compileProbe(probed, probeProgram(block)), compileProbe(portable, probeProgram(block)), {
          threads: 1,
        });
      expect(await difference(negated)).toBeCloseTo(2);
      expect(await difference(rules)).toBeLessThan(1e-6);
    },
  );

  it('is portable, with the reason, if ONNX Runtime lacks direct convolutions; requiring them is an error', async () => {
    const lacking = new EngineError('RUNTIME', 'compile: ReorderInput(-1) is not a registered function');
    const create = vi.spyOn(OnnxSession, 'create').mockRejectedValue(lacking);
    try {
      const messages: string[] = [];
      const engine = await createOnnxEngine({ threads: 1, log: (message) => messages.push(message) });
      expect(engine.info.lowering).toBe('portable');
      expect(messages).toEqual([expect.stringMatching(/ReorderInput.*using the portable lowering/)]);
      const demanded = createOnnxEngine({ threads: 1, lowering: 'nchwc' });
      await expect(demanded).rejects.toThrow(/ReorderInput.*set engine.lowering to auto or portable/);
    } finally {
      create.mockRestore();
    }
  });
});
