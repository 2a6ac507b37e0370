import { createRequire } from 'node:module';
import type { CompiledProgram } from '../cache/entry.js';
import type { Engine, EngineInfo, EvaluateProgram, ProgramSpec, TrainProgram } from '../engine.js';
import { EngineError } from '../errors.js';
import { imagesFeed, labelsFeed, maskFeeds, vectorFeed } from '../feeds.js';
import { probeNchwc } from './probe.js';
import { compileEachTime, type ProgramSource, type Target, throughCache } from './program-source.js';
import { loadRuntime, OnnxSession } from './session.js';

/** How operations are formulated; `auto` is `nchwc`, the fastest, where it works, else `portable`. */
export type LoweringChoice = 'auto' | 'portable' | 'nchwc';

/** More threads would change the bits, or are tested by nobody. */
const mostThreads = { portable: 2, nchwc: 8 };
/** A program that is widened has so many. */
const wideThreads = 2;

export interface OnnxEngineOptions {
  /** Threads inside one operator, 1 to 8; 2 at most where the lowering is `portable`. The built-in models' bits do not depend on it; those of others may. */
  readonly threads: number;
  /** Default: `auto`. */
  readonly lowering?: LoweringChoice;
  /** Told why `auto` came to be `portable`. */
  readonly log?: (message: string) => void;
  /** Where compiled programs are kept; none are by default. */
  readonly cacheDirectory?: string | undefined;
}

/**
 * The engine that computes with ONNX Runtime on the CPU. Each program is one ONNX model, made from the TF.js model by
 * tracing it once; `run` is one call, which blocks the thread.
 * @throws EngineError RUNTIME when ONNX Runtime cannot be loaded, or does not have the lowering that is asked for.
 */
export async function createOnnxEngine(options: OnnxEngineOptions): Promise<Engine> {
  const { threads } = options;
  checkThreads(threads, mostThreads.nchwc);
  await loadRuntime();
  const source = await sourceFor(options);
  const { lowering, target } = await chooseLowering(options, source);
  if (target === 'portable') checkThreads(threads, mostThreads.portable);
  const info: EngineInfo = { name: 'onnx', version: runtimeVersion(), device: 'cpu', lowering, threads };
  return {
    info,
    compileTrain: async (spec) =>
      trainProgram(spec, await source({ kind: 'program', target, spec }), { threads, waiting: 'spin' }),
    compileEvaluate: async (spec) =>
      evaluateProgram(spec, await source({ kind: 'program', target, spec }), { threads, waiting: 'spin' }),
  };
}

function checkThreads(threads: number, most: number): void {
  if (threads >= 1 && threads <= most) return;
  throw new EngineError(
    'BAD_INPUT',
    `create engine: expected 1 to ${most} threads, got ${threads}; more change the bits`,
  );
}

async function sourceFor({ cacheDirectory, log }: OnnxEngineOptions): Promise<ProgramSource> {
  if (cacheDirectory === undefined) return compileEachTime;
  const { ProgramCache } = await import('../cache/program-cache.js');
  return throughCache(await ProgramCache.open(cacheDirectory, log));
}

/** Formulation, and the name under which `run.json` keeps it: workers with another one have other bits. */
async function chooseLowering(
  { lowering = 'auto', threads, log }: OnnxEngineOptions,
  source: ProgramSource,
): Promise<{ readonly lowering: string; readonly target: Target }> {
  if (lowering === 'portable') return { lowering, target: 'portable' };
  const probe = await probeNchwc(threads, source);
  if ('block' in probe) return { lowering: `nchwc${probe.block}`, target: { nchwc: probe.block } };
  const message = `create engine: expected nchwc convolutions of ${runtimeVersion()} to work: ${probe.problem}`;
  if (lowering === 'nchwc') throw new EngineError('RUNTIME', `${message}; set engine.lowering to auto or portable`);
  log?.(`${message}; the portable lowering is used, which is slower`);
  return { lowering: 'portable', target: 'portable' };
}

/** Threads that a job asks for have their cores to themselves; those that help in a pause must not be in the way. */
interface Setup {
  readonly threads: number;
  readonly waiting: 'spin' | 'sleep';
}

async function trainProgram(spec: ProgramSpec, model: CompiledProgram, setup: Setup): Promise<TrainProgram> {
  const session = await OnnxSession.create(model.bytes, setup.threads, setup.waiting);
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
    widened: () => trainProgram(spec, model, { threads: wideThreads, waiting: 'sleep' }),
    dispose: () => session.dispose(),
  };
}

async function evaluateProgram(spec: ProgramSpec, model: CompiledProgram, setup: Setup): Promise<EvaluateProgram> {
  const session = await OnnxSession.create(model.bytes, setup.threads, setup.waiting);
  return {
    mode: 'evaluate',
    batch: spec.batch,
    run: async (input) => {
      const state = model.stateCount > 0 ? { state: vectorFeed('state', input.state, model.stateCount) } : {};
      const { log_probabilities: rows } = await session.run({
        params: vectorFeed('params', input.params, model.parameterCount),
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
