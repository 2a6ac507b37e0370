import { createRequire } from 'node:module';
import type { Engine, EngineInfo, EvaluateProgram, MaskInfo, ProgramSpec, TrainProgram } from '../engine.js';
import { EngineError } from '../errors.js';
import { inputsOf, lowerProgram } from '../lower/lower-program.js';
import type { Rules } from '../lower/lowering.js';
import { nchwcRules } from '../lower/nchwc.js';
import { portable } from '../lower/portable.js';
import { maskInput } from '../masks.js';
import { layoutOf, loadBlankModel, loadTrainingModel } from '../model.js';
import type { TracedProgram } from '../trace/program.js';
import { imagesFeed, labelsFeed, maskFeeds, vectorFeed } from './feeds.js';
import { probeNchwc } from './probe.js';
import { loadRuntime, OnnxSession } from './session.js';

/** How operations are formulated; `auto` is `nchwc`, the fastest, where it works, else `portable`. */
export type LoweringChoice = 'auto' | 'portable' | 'nchwc';

/** More threads would change the bits of some lowerings. */
const mostThreads = 2;

export interface OnnxEngineOptions {
  /** Threads inside one operator, 1 or 2. The built-in models' bits do not depend on it; those of others may. */
  readonly threads: number;
  /** Default: `auto`. */
  readonly lowering?: LoweringChoice;
  /** Told why `auto` came to be `portable`. */
  readonly log?: (message: string) => void;
}

/**
 * The engine that computes with ONNX Runtime on the CPU. Each program is one ONNX model, made from the TF.js model by
 * tracing it once; `run` is one call, which blocks the thread.
 * @throws EngineError RUNTIME when ONNX Runtime cannot be loaded, or does not have the lowering that is asked for.
 */
export async function createOnnxEngine(options: OnnxEngineOptions): Promise<Engine> {
  const { threads } = options;
  if (threads < 1 || threads > mostThreads) {
    throw new EngineError('BAD_INPUT', `create engine: expected 1 or 2 threads, got ${threads}; more change the bits`);
  }
  await loadRuntime();
  const { lowering, rules } = await chooseLowering(options);
  const info: EngineInfo = { name: 'onnx', version: runtimeVersion(), device: 'cpu', lowering, threads };
  const setup = { threads, rules };
  return {
    info,
    compileTrain: (spec) => compileTrain(spec, setup),
    compileEvaluate: (spec) => compileEvaluate(spec, setup),
  };
}

/** Rules, and the name under which `run.json` keeps them: workers with other rules have other bits. */
async function chooseLowering({ lowering = 'auto', threads, log }: OnnxEngineOptions) {
  if (lowering === 'portable') return { lowering: 'portable', rules: portable };
  const probe = await probeNchwc(threads);
  if ('block' in probe) return { lowering: `nchwc${probe.block}`, rules: nchwcRules(probe.block) };
  const message = `create engine: expected nchwc convolutions of ${runtimeVersion()} to work: ${probe.problem}`;
  if (lowering === 'nchwc') throw new EngineError('RUNTIME', `${message}; set engine.lowering to auto or portable`);
  log?.(`${message}; the portable lowering is used, which is slower`);
  return { lowering: 'portable', rules: portable };
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
  const bytes = lowerProgram(traced, setup.rules);
  return trainProgram(spec, { bytes, masks: usedMasks(traced), ...layout }, setup.threads);
}

/** The masks that reach an output; ONNX Runtime knows no others. */
function usedMasks(traced: TracedProgram): MaskInfo[] {
  const inputs = new Set(inputsOf(traced).map(({ attrs }) => attrs.name));
  return (traced.masks ?? []).filter(({ name }) => inputs.has(maskInput(name)));
}

interface TrainModel {
  /** The ONNX model. */
  readonly bytes: Uint8Array;
  readonly parameterCount: number;
  readonly masks: readonly MaskInfo[];
}

async function trainProgram(spec: ProgramSpec, model: TrainModel, threads: number): Promise<TrainProgram> {
  const session = await OnnxSession.create(model.bytes, threads);
  return {
    mode: 'train',
    batch: spec.batch,
    masks: model.masks,
    run: async (input) => {
      const { gradient, statistics, loss, correct } = await session.run({
        params: vectorFeed('params', input.params, model.parameterCount),
        images: imagesFeed(input, spec),
        labels: labelsFeed(input, spec),
        ...maskFeeds(input, model.masks),
      });
      return {
        gradient: gradient!.data as Float32Array,
        statistics: (statistics?.data as Float32Array | undefined) ?? new Float32Array(0),
        lossSum: loss!.data[0] as number,
        correct: correct!.data[0] as number,
      };
    },
    widened: () => trainProgram(spec, model, mostThreads),
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
