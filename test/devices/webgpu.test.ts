import { beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/errors.js';
import type { TrainProgram } from '../../engine/engine.js';
import { im2col } from '../../engine/lower/im2col.js';
import { describeModel, initialWeights } from '../../engine/model.js';
import { createOnnxEngine } from '../../engine/onnx/engine.js';
import { OnnxSession } from '../../engine/onnx/session.js';
import { builtinTopology } from '../../job/models.js';
import { inputsOf, onCpu, onOnnx, relativeError } from '../engine/parity/compare.js';
import { composedCases } from '../engine/parity/composed.js';
import { convCases, poolCases } from '../engine/parity/linear.js';
import { softwareGpu } from '../programs.js';

const device = { kind: 'webgpu' } as const;
const reason = softwareGpu ? '' : ' (skipped: no SwiftShader, which Debian has in its package chromium)';

/** Those that the im2col target formulates in its own way; every third, as a kernel takes long to compile here. */
const families = {
  convolutions: convCases.filter((_, i) => i % 3 === 0),
  pools: poolCases.filter((_, i) => i % 3 === 0),
  compositions: composedCases.filter((_, i) => i % 3 === 0),
};

describe.skipIf(!softwareGpu)(`on a WebGPU device in software${reason}`, () => {
  for (const [family, cases] of Object.entries(families)) {
    it.each(cases)(`${family}: value and gradient are those of TF.js's cpu backend: $name`, async (test) => {
      const inputs = inputsOf(test);
      const [expected, actual] = [await onCpu(test, inputs), await onOnnx(test, inputs, { rules: im2col, device })];
      expect(relativeError(actual.value, expected.value)).toBeLessThan(2e-6);
      actual.gradients.forEach((gradient, i) => {
        expect(relativeError(gradient, expected.gradients[i]!)).toBeLessThan(5e-6);
      });
    });
  }
});

describe.skipIf(!softwareGpu)(`a step of cnn3 on a WebGPU device in software${reason}`, () => {
  const batch = 3;
  const imageShape = [32, 32, 3] as const;
  const topology = builtinTopology('cnn3', imageShape, 10);
  const normalise = { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] };
  const spec = { topology, imageShape, classes: 10, normalise, batch, mode: 'train' } as const;
  const images = Uint8Array.from({ length: batch * 3072 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
  const input = { images, labels: Int32Array.of(1, 5, 9) };
  let program: TrainProgram;

  beforeAll(async () => {
    const engine = await createOnnxEngine({ threads: 1, device: 'webgpu' });
    expect(engine.info).toMatchObject({ device: 'webgpu', lowering: 'im2col' });
    program = await engine.compileTrain(spec);
  }, 60_000);

  it('agrees with the CPU in every parameter that has a gradient, and has the same bits again', async () => {
    const run = { ...input, ...(await initialWeights(topology, 1)) };
    const cpu = await createOnnxEngine({ threads: 1, device: 'cpu', lowering: 'portable' });
    const expected = await (await cpu.compileTrain(spec)).run(run);
    const actual = await program.run(run);
    expect(actual.lossSum / expected.lossSum).toBeCloseTo(1, 5);
    expect(actual.correct).toBe(expected.correct);
    expect(relativeError(actual.statistics, expected.statistics)).toBeLessThan(5e-6);
    const { parameters } = await describeModel(topology);
    // Those of a bias before a batch norm are 0 but for rounding.
    const trained = parameters.filter(({ name }) => !/^conv.*bias$/.test(name));
    for (const { name, offset, size } of trained) {
      const [ours, theirs] = [actual, expected].map(({ gradient }) => gradient.subarray(offset, offset + size));
      expect(relativeError(ours!, theirs!), name).toBeLessThan(5e-6);
    }
    expect(Buffer.from((await program.run(run)).gradient.buffer)).toEqual(Buffer.from(actual.gradient.buffer));
  });

  it('says what of it runs on the CPU', () => {
    const operators =
      /^1 of (\d+) operators run on the CPU, as webgpu does not have them \(1 Cast\), with 2 copies between the two$/;
    expect(Number(operators.exec(program.placement!)?.[1])).toBeGreaterThan(300);
  });
});

it.skipIf(!softwareGpu)(
  'a model that a device cannot run is an error of the engine, without places in its sources',
  async () => {
    const attempt = OnnxSession.create(Uint8Array.of(1, 2, 3), { threads: 1, device });
    await expect(attempt).rejects.toThrow(EngineError);
    await expect(attempt).rejects.not.toThrow('/onnxruntime_src');
  },
);
