import { describe, expect, it } from 'vitest';
import { EngineError } from '../../engine/errors.js';
import { im2col } from '../../engine/lower/im2col.js';
import { OnnxSession } from '../../engine/onnx/session.js';
import { inputsOf, onCpu, onOnnx, relativeError } from '../engine/parity/compare.js';
import { composedCases } from '../engine/parity/composed.js';
import { convCases, poolCases } from '../engine/parity/linear.js';
import { softwareGpu } from '../programs.js';

const device = { kind: 'webgpu' } as const;

/**
 * Families for which the im2col target has its own formulation; every third, as a kernel takes long to compile here.
 */
const families = {
  convolutions: convCases.filter((_, i) => i % 3 === 0),
  pools: poolCases.filter((_, i) => i % 3 === 0),
  compositions: composedCases.filter((_, i) => i % 3 === 0),
};

describe.skipIf(!softwareGpu)("on a WebGPU device in software (needs Chromium's SwiftShader)", () => {
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

it.skipIf(!softwareGpu)(
  "a model that a device cannot run is an error of the engine, without places in its sources (needs Chromium's SwiftShader)",
  async () => {
    const attempt = OnnxSession.create(Uint8Array.of(1, 2, 3), { device });
    await expect(attempt).rejects.toThrow(EngineError);
    await expect(attempt).rejects.not.toThrow('/onnxruntime_src');
  },
);
