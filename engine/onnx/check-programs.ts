import type { ProgramSpec } from '../engine.js';
import { EngineError } from '../errors.js';
import { lowerProgram } from '../lower/lower-program.js';
import { portable } from '../lower/portable.js';
import { loadBlankModel, loadTrainingModel } from '../model/model.js';

type Checked = Omit<ProgramSpec, 'batch' | 'mode'>;

/** A compiled program, with advice for the user. */
interface Compiled {
  readonly bytes: Uint8Array;
  readonly advice?: string;
}

/**
 * Compiles a model's training and evaluation programs without running them, so that an unsupported model is rejected at
 * submission. Compiles each program twice and compares them, because every worker compiles its own copy and all must be equal.
 * Takes about 0.2 s for a small model, 2 s for a hundred layers.
 * @returns advice for the user, one line each.
 * @throws EngineError UNSUPPORTED_MODEL or UNSUPPORTED_KERNEL, with layer and kernel.
 */
export async function checkPrograms(model: Checked): Promise<readonly string[]> {
  try {
    await compiledTwice('training', () => compileTraining(model));
    const { advice } = await compiledTwice('evaluation', () => compileEvaluation(model));
    return advice === undefined ? [] : [advice];
  } catch (error) {
    throw error instanceof RangeError ? tooLarge(error) : error;
  }
}

/** Error for a model that exceeds the stack or the maximum array length. */
function tooLarge(cause: RangeError): EngineError {
  const message = `check model: expected a model that can be compiled, got ${cause.message}; make it smaller or less deep`;
  return new EngineError('UNSUPPORTED_MODEL', message, { cause });
}

async function compiledTwice(what: string, compile: () => Promise<Compiled>): Promise<Compiled> {
  const [first, second] = [await compile(), await compile()];
  if (Buffer.compare(first.bytes, second.bytes) === 0) return first;
  throw new EngineError(
    'UNSUPPORTED_MODEL',
    `check model: expected the same ${what} program from two compilations, got different ones; ` +
      'remove random or time-dependent operations from the model',
  );
}

async function compileTraining(checked: Checked): Promise<Compiled> {
  const { traceTraining } = await import('../trace/program.js');
  const model = await loadTrainingModel(checked.topology);
  try {
    return { bytes: lowerProgram(traceTraining(model, { ...checked, batch: 2, mode: 'train' }), portable) };
  } finally {
    model.dispose();
  }
}

async function compileEvaluation(checked: Checked): Promise<Compiled> {
  const { traceEvaluation } = await import('../trace/program.js');
  const model = await loadBlankModel(checked.topology);
  try {
    const traced = traceEvaluation(model, { ...checked, batch: 2, mode: 'evaluate' });
    const bytes = lowerProgram(traced, portable);
    return traced.advice === undefined ? { bytes } : { bytes, advice: traced.advice };
  } finally {
    model.dispose();
  }
}
