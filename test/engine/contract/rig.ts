import { createHash } from 'node:crypto';
import { createEngine } from '../../../engine/create.js';
import type {
  Engine,
  EvaluateProgram,
  ProgramInput,
  ProgramSpec,
  TrainProgram,
  TrainResult,
} from '../../../engine/engine.js';
import type { EngineUnderTest } from '../engines.js';
import { common, inputFor, smallerBatch } from './model.js';

/** An engine, the programs of the contract's model on it, and their inputs. */
export interface Rig {
  readonly subject: EngineUnderTest;
  readonly engine: Engine;
  readonly train: TrainProgram;
  readonly evaluate: EvaluateProgram;
  readonly input: ProgramInput;
  /** Results of the training program's first run with this input; all later runs must match. */
  readonly bits: string;
}

export async function buildRig(subject: EngineUnderTest): Promise<Rig> {
  const engine = await createEngine(subject.options);
  const train = await engine.compileTrain({ ...common, mode: 'train' });
  const evaluate = await engine.compileEvaluate({ ...common, mode: 'evaluate' });
  const input = await inputFor(train);
  return { subject, engine, train, evaluate, input, bits: bitsOf(await train.run(input)) };
}

/** Runs a training program once that differs from the contract's. */
export async function trainOnce(
  engine: Engine,
  change: Partial<ProgramSpec> = {},
  inputChange: Partial<ProgramInput> = {},
): Promise<TrainResult> {
  const program = await engine.compileTrain({ ...common, ...change, mode: 'train' });
  try {
    return await program.run({ ...(await inputFor(program, program.batch)), ...inputChange });
  } finally {
    await program.dispose();
  }
}

/** Digest of all bits of a training program's results. */
export function bitsOf({ gradient, statistics, lossSum, correct }: TrainResult): string {
  const hash = createHash('sha256').update(gradient).update(statistics);
  return hash.update(Float64Array.of(lossSum, correct)).digest('hex');
}

/** Digest of what the contract's programs return: a step, an epoch's smaller last step, an evaluation. */
export async function bitsOfAll(engine: Engine): Promise<string> {
  const hash = createHash('sha256');
  for (const batch of [common.batch, smallerBatch]) hash.update(bitsOf(await trainOnce(engine, { batch })));
  const evaluate = await engine.compileEvaluate({ ...common, mode: 'evaluate' });
  hash.update((await evaluate.run(await inputFor({ masks: [] }))).logProbabilities);
  await evaluate.dispose();
  return hash.digest('hex');
}
