import util from 'node:util';
import { EngineError } from '../errors.js';
import { tf } from '../model/tfjs/tf.js';
import { replaceGradients } from '../model/tfjs/gradients.js';
import { environmentFor } from './environment.js';
import { bindings, findBinding } from './find-binding.js';
import { mendMaxPool } from './max-pool.js';
import { addInStages } from './staged-sums.js';

/** Name under which the binding registers itself as a backend of TF.js. */
export const backendName = 'tensorflow';

/** TF.js's native binding, once it is loaded. */
export interface Binding {
  /** e.g. `tfjs-node 4.22.0, libtensorflow 2.9.1` */
  readonly version: string;
  readonly device: 'cpu' | 'cuda';
}

/** What is used of the binding's backend. */
interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

/** libtensorflow takes its threads once per process. */
let loaded: { readonly binding: Binding; readonly threads: number } | undefined;

/**
 * Loads `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node`, whichever is installed, and makes sure that libtensorflow
 * computes deterministically. Takes about 2 s. One thread per process may do it: the binding keeps global state.
 * @param directory - another place to search, besides Lockstep's own packages and `NODE_PATH`.
 * @throws EngineError RUNTIME when none is installed, or it does not load, or it did not take its settings.
 */
export async function loadBinding(threads: number, directory?: string): Promise<Binding> {
  if (loaded?.threads === threads) return loaded.binding;
  if (loaded) {
    throw failure(`expected ${loaded.threads} thread(s), which libtensorflow has in this process, got ${threads}`);
  }
  // This writes and does not read: libtensorflow has no other door.
  // eslint-disable-next-line no-restricted-properties
  Object.assign(process.env, environmentFor(threads));
  restoreUtil();
  const { name, require } = findBinding(directory) ?? missing();
  await quietly(() => load(name, require));
  // The binding's copy of TF.js has registered its own gradients over these.
  replaceGradients(tf);
  const { isUsingGpuDevice, binding } = tf.backend() as unknown as NativeBackend;
  checkDeterminism();
  mendMaxPool(backendName);
  if (!isUsingGpuDevice) addInStages(backendName);
  await tf.setBackend('cpu');
  const { version } = require(`${name}/package.json`) as { version: string };
  const device = isUsingGpuDevice ? 'cuda' : 'cpu';
  const built = `${name.replace('@tensorflow/', '')} ${version}, libtensorflow ${binding.TF_Version}`;
  loaded = { binding: { version: built, device }, threads };
  return loaded.binding;
}

function missing(): never {
  throw failure(
    `expected ${bindings.join(' or ')} to be installed, got neither in Lockstep's packages nor in NODE_PATH; ` +
      "run npm install --no-save --ignore-scripts=false @tensorflow/tfjs-node@4.22.0 in Lockstep's folder, or set engine.name: onnx",
  );
}

function load(name: string, require: NodeJS.Require): Promise<void> {
  try {
    require(name);
    return Promise.resolve();
  } catch (cause) {
    const reason = (cause as Error).message.split('\n', 1)[0]!.trim();
    throw failure(`expected ${name} to load, got: ${reason}; install it again, or set engine.name: onnx`, cause);
  }
}

/** The binding brings a copy of TF.js, which warns of each kernel that is registered already, about 300 times. */
async function quietly(action: () => Promise<void>): Promise<void> {
  const { warn } = console;
  console.warn = () => {};
  try {
    await action();
  } finally {
    console.warn = warn;
  }
}

/** The binding calls two functions that Node.js warns of since version 22 and took away in 23. */
function restoreUtil(): void {
  const isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  Object.assign(util, { isArray: (value: unknown) => Array.isArray(value), isNullOrUndefined });
}

/** With determinism on, libtensorflow refuses a random draw without a seed; a seed of 0 is none. */
function checkDeterminism(): void {
  const logits = tf.zeros([1, 2]);
  const draw = () => tf.engine().runKernel('Multinomial', { logits }, { numSamples: 1, seed: 0, normalized: false });
  try {
    tf.tidy(() => draw() as never);
  } catch (error) {
    if (/determinism/.test((error as Error).message)) return;
    throw failure(`expected a refusal of a draw without a seed, got: ${(error as Error).message}`, error);
  } finally {
    logits.dispose();
  }
  throw failure(
    'expected libtensorflow to compute deterministically, but it did not take TF_DETERMINISTIC_OPS from the ' +
      'environment; load it in the main thread, or in one made with SHARE_ENV',
  );
}

function failure(problem: string, cause?: unknown): EngineError {
  return new EngineError('RUNTIME', `load tensorflow engine: ${problem}`, { cause });
}
