import { createHash, type Hash } from 'node:crypto';
import type { EvaluateProgram, ProgramInput, TrainProgram } from '../engine/engine.js';
import { drawMasks } from '../job/dropout.js';
import type { JobManifest } from '../job/manifest.js';

/** A job's compiled programs, in any order. */
export interface Programs {
  readonly train: readonly TrainProgram[];
  readonly evaluate: readonly EvaluateProgram[];
}

type Shapes = Pick<JobManifest, 'parameterCount' | 'stateCount' | 'dataset'>;

/**
 * SHA-256 over all outputs of all programs on fixed probe inputs. Workers with different fingerprints don't compute the
 * same bits. Equal ones are evidence, not proof.
 *
 * Each program runs once, which also warms it up. The cost is about one step and one evaluation batch.
 */
export async function fingerprint({ train, evaluate }: Programs, shapes: Shapes): Promise<string> {
  const hash = createHash('sha256');
  for (const program of largestFirst(train)) {
    const { gradient, statistics, lossSum, correct } = await program.run({
      ...probeInput(program.batch, shapes),
      masks: probeMasks(program),
    });
    addOutputs(hash, `train ${program.batch}`, [gradient, statistics, Float64Array.of(lossSum, correct)]);
  }
  for (const program of largestFirst(evaluate)) {
    const { logProbabilities } = await program.run(probeInput(program.batch, shapes));
    addOutputs(hash, `evaluate ${program.batch}`, [logProbabilities]);
  }
  return hash.digest('hex');
}

function largestFirst<Program extends { readonly batch: number }>(programs: readonly Program[]): Program[] {
  return [...programs].sort((a, b) => b.batch - a.batch);
}

/** Hashes the lengths first, so that no two sets of outputs have the same bytes. */
function addOutputs(hash: Hash, name: string, outputs: readonly (Float32Array | Float64Array)[]): void {
  hash.update(`${name} [${outputs.map(({ length }) => length).join()}]\n`);
  for (const output of outputs) hash.update(output);
}

/** Dropout masks of an arbitrary step. */
function probeMasks({ masks }: TrainProgram): Float32Array[] {
  return drawMasks(masks, { seed: 0, step: 0, shard: 0 });
}

/**
 * Parameters in [−1/8, 1/8), about as large as initial weights; running statistics in [1/2, 3/2), as a variance must be
 * positive; noise for images. All are exact in f32, so creating them involves no rounding.
 */
export function probeInput(batch: number, { parameterCount, stateCount, dataset }: Shapes): ProgramInput {
  const numbers = new Numbers(batch);
  const imageBytes = dataset.imageShape.reduce((a, b) => a * b);
  return {
    params: new Float32Array(parameterCount).map(() => (numbers.unit() - 0.5) / 4),
    state: new Float32Array(stateCount).map(() => numbers.unit() + 0.5),
    images: numbers.bytes(batch * imageBytes),
    labels: new Int32Array(batch).map(() => Math.floor(numbers.unit() * dataset.classes.length)),
  };
}

/**
 * Linear congruential generator of "Numerical Recipes" (Press et al., 7.1), modulo 2³², of which the high bits are used.
 * It only has to be a fixed sequence, and fast: 25 million values per second.
 */
class Numbers {
  #x: number;

  constructor(seed: number) {
    this.#x = seed | 0;
  }

  /** A value in [0, 1). */
  unit(): number {
    this.#x = following(this.#x);
    return (this.#x >>> 8) / 2 ** 24;
  }

  /** In one loop, because there are millions. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let x = this.#x;
    for (let i = 0; i < length; i++) {
      x = following(x);
      bytes[i] = x >>> 24;
    }
    this.#x = x;
    return bytes;
  }
}

function following(x: number): number {
  return (Math.imul(x, 1664525) + 1013904223) | 0;
}
