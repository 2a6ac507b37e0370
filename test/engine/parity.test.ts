import { describe, expect, it } from 'vitest';
import { im2col } from '../../engine/lower/im2col.js';
import { tf } from '../../engine/model/tfjs/tf.js';
import { kernels } from '../../engine/trace/register.js';
import { inputsOf, onCpu, onOnnx, type Outcome, relativeError } from './parity/compare.js';
import { composedCases } from './parity/composed.js';
import { binaryCases, piecewiseCases, unaryCases } from './parity/elementwise.js';
import { convCases, poolCases } from './parity/linear.js';
import { reduceCases, shapeCases } from './parity/shape.js';

const families = {
  'elementwise functions': unaryCases,
  'functions without a gradient': piecewiseCases,
  'functions of two tensors': binaryCases,
  reductions: reduceCases,
  convolutions: convCases,
  pools: poolCases,
  'shape operations': shapeCases,
  compositions: composedCases,
};

/** Families for which the im2col target has its own formulation. */
const ownRules = new Set(['reductions', 'convolutions', 'pools', 'compositions']);

/** Names of the kernels that the cases below reach. */
const reached = new Set<string>();
for (const name of Object.keys(kernels)) {
  const config = tf.getKernel(name, 'lockstep-trace');
  const { kernelFunc } = config;
  config.kernelFunc = (call) => {
    reached.add(name);
    return kernelFunc(call);
  };
}

for (const [family, cases] of Object.entries(families)) {
  describe(`value and gradient equal those of TF.js's cpu backend: ${family}`, () => {
    it.each(cases)('$name', async (test) => {
      const inputs = inputsOf(test);
      const expected = await onCpu(test, inputs);
      expectClose(await onOnnx(test, inputs), expected);
      if (ownRules.has(family)) expectClose(await onOnnx(test, inputs, { rules: im2col }), expected);
    });
  });
}

function expectClose(actual: Outcome, expected: Outcome): void {
  expect(relativeError(actual.value, expected.value)).toBeLessThan(2e-6);
  actual.gradients.forEach((gradient, i) => {
    expect(relativeError(gradient, expected.gradients[i]!)).toBeLessThan(5e-6);
  });
}

it('the cases above reach every kernel that the engine knows', () => {
  expect(Object.keys(kernels).filter((name) => !reached.has(name))).toEqual([]);
});
