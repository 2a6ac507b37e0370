import { decodeKernelPlan } from '../../../engine/native/kernel-plan.js';
import type { NativeRuntime } from '../../../engine/native/load/native.js';
import { RunningProgram } from '../../../engine/native/running-program.js';
import { createOptimizer } from '../../../job/optimizer.js';
import type { OptimizerSpec } from '../../../job/spec.js';
import { foldStatistics } from '../../../job/statistics.js';
import { plainVectors, type VectorOps } from '../../../job/vectors.js';
import type { Prepared } from './prepare.js';

/** Kernels, and the arithmetic on parameters. */
export interface Target {
  readonly runtime: NativeRuntime;
  readonly threads: number;
  readonly vectors?: VectorOps | undefined;
}

/** Training steps. */
export const steps = 3;
const learningRate = 0.01;
const optimizer: OptimizerSpec = {
  ...{ type: 'adam', learningRate, weightDecay: 1e-4 },
  ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
};

/**
 * All results of some training steps, each with an update of the parameters and running statistics, and of an evaluation
 * afterwards. Runs in browsers, too.
 *
 * @param masks - dropout masks of each step
 * @throws Error if a loss isn't finite: bits of NaN aren't specified.
 */
export function resultsOf(target: Target, prepared: Prepared, masks: Masks): (Float32Array | Float64Array)[] {
  const { params, state } = { params: prepared.params.slice(), state: prepared.state.slice() };
  const ofSteps = trainSteps(target, prepared, { params, state, masks });
  const { spec } = prepared.evaluate;
  const program = open(target, prepared.evaluate);
  const { logProbabilities } = program.evaluate({ params, state, ...samples(spec, steps) });
  const results = [...ofSteps, params, state, logProbabilities];
  void program.dispose();
  return results;
}

/** By step, and then as the program wants them. */
export type Masks = readonly (readonly Float32Array[])[];

interface Training {
  readonly params: Float32Array;
  readonly state: Float32Array;
  readonly masks: Masks;
}

/** Trains `params` and `state` in place. @returns the results of each step. */
function trainSteps(target: Target, { name, train, momentum }: Prepared, { params, state, masks }: Training) {
  const { spec } = train;
  const program = open(target, train);
  const updates = createOptimizer(optimizer, params.length, target.vectors ?? plainVectors);
  const results: (Float32Array | Float64Array)[] = [];
  for (let step = 0; step < steps; step++) {
    const { gradient, statistics, lossSum, correct } = program.train({
      ...{ params, state, masks: masks[step]! },
      ...samples(spec, step),
    });
    if (!Number.isFinite(lossSum)) throw new Error(`one digest: expected a finite loss of ${name}, got ${lossSum}`);
    results.push(gradient, statistics, Float64Array.of(lossSum, correct));
    updates.apply(params, gradient, { samples: spec.batch, learningRate, step });
    foldStatistics(state, momentum, [{ samples: spec.batch, statistics }]);
  }
  void program.dispose();
  return results;
}

function open({ runtime, threads }: Target, { spec, compiled }: Prepared['train']): RunningProgram {
  const { plan, constants } = decodeKernelPlan(compiled.bytes);
  return new RunningProgram(runtime.createProgram(plan, constants, threads), spec, compiled);
}

/** Noise for images (the high bits of Knuth's multiplicative hash), and labels. */
function samples({ batch, imageShape, classes }: Prepared['train']['spec'], step: number) {
  const bytes = batch * imageShape.reduce((a, b) => a * b);
  return {
    images: Uint8Array.from({ length: bytes }, (_, i) => Math.imul(i + step * bytes, 2654435761) >>> 24),
    labels: Int32Array.from({ length: batch }, (_, i) => (i + step) % classes),
  };
}
