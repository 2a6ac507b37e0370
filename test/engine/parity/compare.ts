import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { lowerProgram } from '../../../engine/lower/lower-program.js';
import type { Rules } from '../../../engine/lower/lowering.js';
import { portable } from '../../../engine/lower/portable.js';
import { cpu, type Device } from '../../../engine/onnx/device.js';
import { OnnxSession } from '../../../engine/onnx/session.js';
import { tf } from '../../../engine/model/tfjs/tf.js';
import { optimized } from '../../../engine/lower/optimize.js';
import type { TracedProgram } from '../../../engine/trace/program.js';
import { backend, recording } from '../../../engine/trace/register.js';

/** A function of some tensors with a scalar result, whose gradient is compared too. */
export interface ParityCase {
  readonly name: string;
  readonly shapes: readonly (readonly number[])[];
  readonly f: (...inputs: Tensor[]) => Tensor;
  /** The same function for the oracle, where TF.js's gradient of `f` is wrong. */
  readonly oracle?: (...inputs: Tensor[]) => Tensor;
  /** Changes the inputs, which are random in −1 to 1. */
  readonly prepare?: (values: Float32Array, input: number) => Float32Array;
}

export interface Outcome {
  readonly value: Float32Array;
  readonly gradients: readonly Float32Array[];
}

/** Random numbers in −1 to 1 by a linear congruential generator (Numerical Recipes' constants). */
function uniform(length: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export function inputsOf({ shapes, prepare }: ParityCase): Float32Array[] {
  return shapes.map((shape, i) => {
    const values = uniform(
      shape.reduce((a, b) => a * b, 1),
      i + 7,
    );
    return prepare ? prepare(values, i) : values;
  });
}

/** The oracle: TF.js's own `cpu` backend. */
export async function onCpu(test: ParityCase, inputs: readonly Float32Array[]): Promise<Outcome> {
  const { shapes, oracle: f = test.f } = test;
  await tf.setBackend('cpu');
  return tf.tidy(() => {
    const tensors = shapes.map((shape, i) => tf.tensor(inputs[i]!, [...shape]));
    const value = f(...tensors);
    const gradients = tf.grads((...xs: Tensor[]) => weighted(f(...xs)))(tensors);
    const values = [value, ...gradients].map((tensor) => Float32Array.from(tensor.dataSync()));
    return { value: values[0]!, gradients: values.slice(1) };
  });
}

/** The engine: the same function traced, lowered, and run by ONNX Runtime. */
export async function onOnnx(
  test: ParityCase,
  inputs: readonly Float32Array[],
  { rules = portable, device = cpu }: { rules?: Rules; device?: Device } = {},
): Promise<Outcome> {
  const session = await OnnxSession.create(lowerProgram(trace(test), rules), { device });
  const flat = Float32Array.from(inputs.flatMap((values) => [...values]));
  const result = await session.run({ params: { type: 'float32', data: flat, shape: [flat.length] } });
  await session.dispose();
  const all = result['gradient']!.data as Float32Array;
  let end = 0;
  const gradients = inputs.map((values) => all.slice(end, (end += values.length)));
  return { value: result['value']!.data as Float32Array, gradients };
}

/** Value and gradients of a case, as a program of its inputs in one flat vector. */
export function trace({ shapes, f }: ParityCase): TracedProgram {
  return recording(() => {
    const graph = backend.start();
    const pieces = shapes.map((shape, i) => graph.param(`p${i}`, shape));
    const tensors = pieces.map((node) => backend.tensorOf(node));
    const value = tf.cast(f(...tensors), 'float32');
    const gradients = tf.grads((...xs: Tensor[]) => weighted(f(...xs)))(tensors);
    return optimized({
      graph,
      flatInputs: [{ name: 'params', pieces }],
      outputs: [
        { kind: 'flat', name: 'gradient', pieces: gradients.map((tensor) => backend.nodeOf(tensor)) },
        { kind: 'flat', name: 'value', pieces: [backend.nodeOf(value)] },
      ],
    });
  });
}

/** A scalar whose gradient differs from element to element. */
function weighted(y: Tensor): Scalar {
  const float = tf.cast(y, 'float32');
  const weights = tf.tensor(uniform(y.size, 99), y.shape);
  return tf.sum(tf.mul(tf.mul(float, float), weights));
}

/**
 * √(Σ(a − b)² / Σb²); 0 where both are 0 everywhere.
 * @param floor - least divisor, for gradients that are rounding noise, as of a bias before a batch norm.
 */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>, floor = 0): number {
  if (actual.length !== expected.length) return Infinity;
  let [difference, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference) / Math.max(Math.sqrt(norm), floor);
}
