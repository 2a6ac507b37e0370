import type { CompiledProgram } from '../../../engine/cache/entry.js';
import type { ProgramSpec } from '../../../engine/engine.js';
import { describeModel, initialWeights } from '../../../engine/model/model.js';
import { compileProgram } from '../../../engine/native/compile-program.js';
import type { Subject } from './subjects.js';

/** A subject ready to run, without TF.js; plain data that `v8.serialize` takes to another process. */
export interface Prepared {
  readonly name: string;
  readonly train: { readonly spec: ProgramSpec; readonly compiled: CompiledProgram };
  /** For twice as many images. */
  readonly evaluate: { readonly spec: ProgramSpec; readonly compiled: CompiledProgram };
  readonly params: Float32Array;
  readonly state: Float32Array;
  /** Momentum of each running statistic. */
  readonly momentum: Float32Array;
}

export async function prepare({ name, spec }: Subject): Promise<Prepared> {
  const train: ProgramSpec = { ...spec, mode: 'train' };
  const evaluate: ProgramSpec = { ...spec, batch: 2 * spec.batch, mode: 'evaluate' };
  const { params, state } = await initialWeights(spec.topology, 3);
  const layout = await describeModel(spec.topology);
  return {
    name,
    train: { spec: train, compiled: await compileProgram(train) },
    evaluate: { spec: evaluate, compiled: await compileProgram(evaluate) },
    // Biases and shifts begin at 0, which would hide mistakes. Sums of eighths of a small power of two are exact.
    params: params.map((w, i) => w + (((i * 37) % 64) - 32) / 1024),
    state: state.map((s, i) => s + ((i * 5) % 8) / 16),
    momentum: Float32Array.from(layout.state.flatMap(({ size, momentum }) => Array<number>(size).fill(momentum))),
  };
}
