import { decodeKernelPlan } from '../../../engine/native/kernel-plan.js';
import { wasmRuntime } from '../../../engine/native/load/wasm.js';
import { RunningProgram } from '../../../engine/native/running-program.js';
import { canonical } from '../compare-values.js';
import type { PageData, ShardInputs } from '../page-data.js';

/** Results of the shard as vectors; NaNs are canonical. */
export interface Results {
  readonly gradient: Float32Array;
  readonly statistics: Float32Array;
  readonly loss: Float32Array;
  readonly correct: number;
}

/** This browser's results, and the time that the kernels took. */
export interface Computed extends Results {
  readonly milliseconds: number;
}

/**
 * Computes the shard by the WebAssembly kernels; blocks the page.
 * @throws Error if the browser lacks something, or there is no memory.
 */
export async function compute(
  { batch, classes, expected }: PageData,
  inputs: ShardInputs<Uint8Array>,
): Promise<Computed> {
  const runtime = wasmRuntime(await compile(inputs.wasm), 'a browser');
  const { plan, constants } = decodeKernelPlan(inputs.plan);
  const masks = floats(inputs.masks);
  const sizes = {
    parameterCount: inputs.params.length / 4,
    stateCount: decode(expected.statistics).length / 4,
    masks: [{ size: masks.length }],
  };
  const program = new RunningProgram(runtime.createProgram(plan, constants, 1), { batch, classes }, sizes);
  const labels = new Int32Array(inputs.labels.slice().buffer);
  const input = { params: floats(inputs.params), state: new Float32Array(0), images: inputs.images, labels };
  const begin = performance.now();
  const { gradient, statistics, lossSum, correct } = program.train({ ...input, masks: [masks] });
  const milliseconds = performance.now() - begin;
  const loss = canonical(Float32Array.of(lossSum));
  return { gradient: canonical(gradient), statistics: canonical(statistics), loss, correct, milliseconds };
}

/** Results of the page's writer. */
export function expectedResults({ expected }: PageData): Results {
  const { gradient, statistics, loss, correct } = expected;
  const vector = (text: string) => canonical(floats(decode(text)));
  return { gradient: vector(gradient), statistics: vector(statistics), loss: vector(loss), correct };
}

/** Decodes all inputs. */
export function decodeInputs({ inputs }: PageData): ShardInputs<Uint8Array<ArrayBuffer>> {
  const { plan, wasm, params, images, labels, masks } = inputs;
  return {
    plan: decode(plan),
    wasm: decode(wasm),
    params: decode(params),
    images: decode(images),
    labels: decode(labels),
    masks: decode(masks),
  };
}

async function compile(wasm: Uint8Array): Promise<WebAssembly.Module> {
  if (typeof WebAssembly !== 'object') {
    throw new Error('expected a browser with WebAssembly, got one without, or one where it is off');
  }
  const bytes = wasm.slice();
  if (!WebAssembly.validate(bytes)) {
    throw new Error(
      'expected WebAssembly with relaxed SIMD (fused multiply-add), got one without; ' +
        'open this page in Chrome or Edge 114, Firefox 146, or a later version',
    );
  }
  return WebAssembly.compile(bytes);
}

function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
