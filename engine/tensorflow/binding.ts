import util from 'node:util';
import { EngineError } from '../errors.js';
import { tf } from '../model/tfjs/tf.js';
import { replaceGradients } from '../model/tfjs/gradients.js';
import { environmentFor } from './environment.js';
import { bindings, findBinding } from './find-binding.js';
import { fixMaxPool } from './max-pool.js';
import { addInStages } from './staged-sums.js';

/** Name of the binding's TF.js backend. */
export const backendName = 'tensorflow';

/** The loaded native binding of TF.js. */
export interface Binding {
  /** e.g. `tfjs-node 4.22.0, libtensorflow 2.9.1` */
  readonly version: string;
  readonly device: 'cpu' | 'cuda';
}

/** Used fields of the binding's backend. */
interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: { readonly TF_Version: string };
}

/** Binding of this process. libtensorflow reads its number of threads once. */
let loaded: { readonly binding: Binding; readonly threads: number } | undefined;

/**
 * Loads `@tensorflow/tfjs-node-gpu` or `@tensorflow/tfjs-node`, whichever is installed, and checks that libtensorflow is
 * deterministic. Takes about 2 s. Call it from one thread per process, because the binding has global state.
 * @param directory - directory to search in addition to Lockstep's packages and `NODE_PATH`.
 * @throws EngineError RUNTIME when no binding is installed, it doesn't load, or it ignored its settings.
 */
export async function loadBinding(threads: number, directory?: string): Promise<Binding> {
  if (loaded?.threads === threads) return loaded.binding;
  if (loaded) {
    throw failure(
      `expected engine.threads ${loaded.threads}, as set in this process, got ${threads}; start another process`,
    );
  }
  // Writing is permitted here: libtensorflow has no other option for these settings.
  // eslint-disable-next-line no-restricted-properties
  Object.assign(process.env, environmentFor(threads));
  restoreUtil();
  const { name, require } = findBinding(directory) ?? missing();
  await quietly(() => load(name, require));
  // The binding's copy of TF.js has registered its own gradients over these.
  replaceGradients(tf);
  const { isUsingGpuDevice, binding } = tf.backend() as unknown as NativeBackend;
  checkDeterminism();
  fixMaxPool(backendName);
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
      'run npm install --ignore-scripts=false @tensorflow/tfjs-node@4.22.0 in the folder where Lockstep is installed, ' +
      'or remove engine.name',
  );
}

function load(name: string, require: NodeJS.Require): Promise<void> {
  try {
    require(name);
    return Promise.resolve();
  } catch (cause) {
    const reason = (cause as Error).message.split('\n', 1)[0]!.trim();
    throw failure(`expected ${name} to load, got: ${reason}; install it again, or remove engine.name`, cause);
  }
}

/** Suppresses warnings. The binding contains a copy of TF.js, which warns about 300 already registered kernels. */
async function quietly(action: () => Promise<void>): Promise<void> {
  const { warn } = console;
  console.warn = () => {};
  try {
    await action();
  } finally {
    console.warn = warn;
  }
}

/** Restores two functions that the binding calls and Node.js 23 removed (22 deprecated them). */
function restoreUtil(): void {
  const isNullOrUndefined = (value: unknown) => value === null || value === undefined;
  Object.assign(util, { isArray: (value: unknown) => Array.isArray(value), isNullOrUndefined });
}

/** Checks determinism: with it, libtensorflow rejects a random draw without a seed (0 means none). */
function checkDeterminism(): void {
  const logits = tf.zeros([1, 2]);
  const draw = () => tf.engine().runKernel('Multinomial', { logits }, { numSamples: 1, seed: 0, normalized: false });
  try {
    tf.tidy(() => draw() as never);
  } catch (error) {
    if (/determinism/.test((error as Error).message)) return;
    throw failure(`expected a random draw without seed to be rejected, got: ${(error as Error).message}`, error);
  } finally {
    logits.dispose();
  }
  throw failure(
    'expected deterministic libtensorflow, got one that ignores TF_DETERMINISTIC_OPS; load it in the main thread or in ' +
      'a thread created with SHARE_ENV',
  );
}

function failure(problem: string, cause?: unknown): EngineError {
  return new EngineError('RUNTIME', `load tensorflow engine: ${problem}`, { cause });
}
