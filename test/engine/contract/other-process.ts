// Reports about an engine from a process of its own: the bits of its programs, and its memory over many steps.
// Usage: node --expose-gc --import ./test/faults/typescript.mjs test/engine/contract/other-process.ts OPTIONS STEPS
import { createEngine, type EngineChoice } from '../../../engine/create.js';
import type { Engine, ProgramInput, ProgramSpec } from '../../../engine/engine.js';
import { initialWeights } from '../../../engine/model/model.js';
import { tf } from '../../../engine/model/tfjs/tf.js';
import { builtinTopology } from '../../../job/models.js';
import { bitsOfAll } from './rig.js';

/** Output of the script, as JSON. */
export interface OtherProcess {
  readonly bits: string;
  /** After a number of steps, and after all of them. */
  readonly memory: { readonly before: Held; readonly after: Held };
}

interface Held {
  readonly residentBytes: number;
  /** Memory of values and of arrays. */
  readonly heapBytes: number;
  /** TF.js's counts: tensors, their bytes, and what its backends keep for them. */
  readonly tensors: number;
  readonly tensorBytes: number;
  readonly buffers: number;
}

const imageShape = [8, 8, 3] as const;
const topology = builtinTopology('mlp', imageShape, 10);
const normalise = { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] };
const spec: Omit<ProgramSpec, 'mode'> = { topology, imageShape, classes: 10, normalise, batch: 8 };

/** A quarter as many steps run first, for one-time allocations: code, caches, the allocator's reserves. */
async function memoryOver(engine: Engine, steps: number): Promise<OtherProcess['memory']> {
  const train = await engine.compileTrain({ ...spec, mode: 'train' });
  const evaluate = await engine.compileEvaluate({ ...spec, mode: 'evaluate' });
  const input: ProgramInput = {
    ...(await initialWeights(topology, 1)),
    images: Uint8Array.from({ length: 8 * 192 }, (_, i) => i % 256),
    labels: Int32Array.from({ length: 8 }, (_, i) => i),
  };
  const run = async (count: number) => {
    for (let step = 0; step < count; step++) {
      await train.run(input);
      if (step % 10 === 0) await evaluate.run(input);
      if (step % 100 === 0) await train.run({ ...input, labels: new Int32Array(8).fill(-1) }).catch(() => undefined);
      if (step % 250 === 0) await collect();
    }
    await collect();
    return held();
  };
  return { before: await run(steps / 4), after: await run(steps) };
}

/** Often, so that resident memory is memory in use, without garbage since the last collection. */
async function collect(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    globalThis.gc!();
    await new Promise(setImmediate); // Native memory is given back between two collections.
  }
}

function held(): Held {
  const { numTensors: tensors, numBytes: tensorBytes } = tf.memory();
  const { rss: residentBytes, heapUsed, external } = process.memoryUsage();
  const backends = Object.values(tf.engine().registry);
  const buffers = backends.reduce((sum, backend) => sum + backend.numDataIds(), 0);
  return { residentBytes, heapBytes: heapUsed + external, tensors, tensorBytes, buffers };
}

const engine = await createEngine(JSON.parse(process.argv[2]!) as EngineChoice);
const memory = await memoryOver(engine, Number(process.argv[3]));
const found: OtherProcess = { bits: await bitsOfAll(engine), memory };
console.log(JSON.stringify(found));
