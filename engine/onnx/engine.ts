import { createRequire } from 'node:module';
import type { Engine, EngineInfo, EvaluateProgram, ProgramSpec, TrainProgram } from '../engine.js';
import { EngineError } from '../errors.js';
import { lowerProgram } from '../lower/lower-program.js';
import type { Rules } from '../lower/lowering.js';
import { portable } from '../lower/portable.js';
import { layoutOf, loadBlankModel, loadTrainingModel } from '../model.js';
import { imagesFeed, labelsFeed, vectorFeed } from './feeds.js';
import { loadRuntime, OnnxSession } from './session.js';

/** Formulations of the operations, by the name under which `run.json` keeps them. */
const lowerings = { portable } satisfies Record<string, Rules>;

export interface OnnxEngineOptions {
  /** Threads inside one operator, 1 or 2: with up to 2 the bits do not depend on it. */
  readonly threads: number;
}

/**
 * The engine that computes with ONNX Runtime on the CPU. Each program is one ONNX model, made from the TF.js model by
 * tracing it once; `run` is one call, which blocks the thread.
 * @throws EngineError RUNTIME when ONNX Runtime cannot be loaded.
 */
export async function createOnnxEngine({ threads }: OnnxEngineOptions): Promise<Engine> {
  if (threads !== 1 && threads !== 2) {
    throw new EngineError('BAD_INPUT', `create engine: expected 1 or 2 threads, got ${threads}; more change the bits`);
  }
  await loadRuntime();
  const lowering = 'portable';
  const info: EngineInfo = { name: 'onnx', version: runtimeVersion(), device: 'cpu', lowering, threads };
  const setup = { threads, rules: lowerings[lowering] };
  return {
    info,
    compileTrain: (spec) => compileTrain(spec, setup),
    compileEvaluate: (spec) => compileEvaluate(spec, setup),
  };
}

interface Setup {
  readonly threads: number;
  readonly rules: Rules;
}

async function compileTrain(spec: ProgramSpec & { mode: 'train' }, setup: Setup): Promise<TrainProgram> {
  const { traceTraining } = await import('../trace/program.js');
  const model = await loadTrainingModel(spec.topology);
  const layout = layoutOf(model, spec.topology);
  const traced = traceTraining(model, spec);
  model.dispose();
  const session = await OnnxSession.create(lowerProgram(traced, setup.rules), setup.threads);
  return {
    mode: 'train',
    batch: spec.batch,
    run: async (input) => {
      const { gradient, statistics, loss, correct } = await session.run({
        params: vectorFeed('params', input.params, layout.parameterCount),
        images: imagesFeed(input, spec),
        labels: labelsFeed(input, spec),
      });
      return {
        gradient: gradient!.data as Float32Array,
        statistics: (statistics?.data as Float32Array | undefined) ?? new Float32Array(0),
        lossSum: loss!.data[0] as number,
        correct: correct!.data[0] as number,
      };
    },
    dispose: () => session.dispose(),
  };
}

async function compileEvaluate(spec: ProgramSpec & { mode: 'evaluate' }, setup: Setup): Promise<EvaluateProgram> {
  const { traceEvaluation } = await import('../trace/program.js');
  const model = await loadBlankModel(spec.topology);
  const layout = layoutOf(model, spec.topology);
  const traced = traceEvaluation(model, spec);
  model.dispose();
  const session = await OnnxSession.create(lowerProgram(traced, setup.rules), setup.threads);
  return {
    mode: 'evaluate',
    batch: spec.batch,
    run: async (input) => {
      const state = layout.stateCount > 0 ? { state: vectorFeed('state', input.state, layout.stateCount) } : {};
      const { log_probabilities: rows } = await session.run({
        params: vectorFeed('params', input.params, layout.parameterCount),
        images: imagesFeed(input, spec),
        ...state,
      });
      return { logProbabilities: rows!.data as Float32Array };
    },
    dispose: () => session.dispose(),
  };
}

function runtimeVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return `onnxruntime-node ${version}`;
}
