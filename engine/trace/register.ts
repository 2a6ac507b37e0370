import { EngineError } from '../errors.js';
import { tf } from '../model/tfjs/tf.js';
import { TraceBackend } from './backend.js';
import { type Kernel, KernelCall, type KernelTable, Unsupported } from './kernel.js';
import { elementwise } from './kernels/elementwise.js';
import { linear } from './kernels/linear.js';
import { pooling } from './kernels/pool.js';
import { reductions } from './kernels/reduce.js';
import { shapes } from './kernels/shape.js';
import { withoutRandomness } from './randomness.js';

/** All supported TF.js kernels. */
export const kernels: KernelTable = { ...elementwise, ...linear, ...pooling, ...reductions, ...shapes };

const backendName = 'lockstep-trace';
export const backend = new TraceBackend();
tf.registerBackend(backendName, () => backend as never, 0);
for (const [kernelName, kernel] of Object.entries(kernels)) register(kernelName, kernel);
for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
  if (!Object.hasOwn(kernels, kernelName)) register(kernelName, unknownKernel);
}

/**
 * Runs `trace` with TF.js recording into `backend`'s graph. (For this backend, `setBackend` is synchronous.) `tidy` doesn't
 * get the result, because it would search it recursively for tensors.
 */
export function recording<T>(trace: () => T): T {
  const before = tf.getBackend();
  void tf.setBackend(backendName);
  let result: T;
  try {
    withoutRandomness(randomDraw, () => tf.tidy(() => void (result = trace())));
    return result!;
  } catch (error) {
    throw error instanceof EngineError ? error : tfjsFailure(error as Error);
  } finally {
    void tf.setBackend(before ?? 'cpu');
  }
}

/** Error for an error of TF.js, such as a missing gradient. */
function tfjsFailure(cause: Error): EngineError {
  const { layer } = backend;
  return new EngineError(
    'UNSUPPORTED_MODEL',
    `compile: expected a model that TF.js can differentiate, got an error${backend.place()}: ${cause.message}; ` +
      'change the model',
    { cause, ...(layer === undefined ? {} : { context: { layer } }) },
  );
}

function randomDraw(op: string): EngineError {
  const { layer } = backend;
  return new EngineError(
    'UNSUPPORTED_MODEL',
    `compile: expected no random operations except Dropout layers, got ${op}${backend.place()}; set its dropout ` +
      'to 0, and use Dropout layers',
    layer === undefined ? {} : { context: { layer } },
  );
}

type Infos = Readonly<Record<string, Parameters<TraceBackend['nodeOf']>[0] | undefined>>;

function register(kernelName: string, kernel: Kernel): void {
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const result = run(kernelName, kernel, inputs, attrs ?? {});
      return Array.isArray(result) ? result.map((node) => backend.infoOf(node)) : backend.infoOf(result);
    },
  });
}

function run(kernelName: string, kernel: Kernel, inputs: Infos, attrs: object) {
  const named = Object.entries(inputs).map(([name, info]) => [name, info && backend.nodeOf(info)] as const);
  try {
    return kernel(new KernelCall(backend.graph, Object.fromEntries(named), attrs));
  } catch (error) {
    if (error instanceof Unsupported) throw unsupported(kernelName, error.message);
    throw error;
  }
}

/** Kernel for all unsupported ones. */
function unknownKernel(): never {
  throw new Unsupported('');
}

function unsupported(kernel: string, detail: string): EngineError {
  const { layer } = backend;
  const what = detail === '' ? kernel : `${kernel} with ${detail}`;
  return new EngineError(
    'UNSUPPORTED_KERNEL',
    `compile: expected supported operations, got ${what}${backend.place()}; change the model`,
    { context: layer === undefined ? { kernel } : { kernel, layer } },
  );
}
