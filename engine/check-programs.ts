import type { ProgramSpec } from './engine.js';
import { lowerProgram } from './lower/lower-program.js';
import { portable } from './lower/portable.js';
import { loadBlankModel, loadTrainingModel } from './model.js';

/**
 * Compiles a model as a worker would, for training and evaluation, but runs nothing: a model that cannot be trained is
 * refused where it is submitted. Takes about 0.1 s for a small model, 1 s for a hundred layers.
 * @throws EngineError UNSUPPORTED_MODEL or UNSUPPORTED_KERNEL, with layer and kernel.
 */
export async function checkPrograms(model: Omit<ProgramSpec, 'batch' | 'mode'>): Promise<void> {
  const { traceEvaluation, traceTraining } = await import('./trace/program.js');
  const [trained, evaluated] = [await loadTrainingModel(model.topology), await loadBlankModel(model.topology)];
  try {
    lowerProgram(traceTraining(trained, { ...model, batch: 2, mode: 'train' }), portable);
    lowerProgram(traceEvaluation(evaluated, { ...model, batch: 2, mode: 'evaluate' }), portable);
  } finally {
    trained.dispose();
    evaluated.dispose();
  }
}
