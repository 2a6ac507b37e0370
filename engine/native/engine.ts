import { canonicalJson, sha256Hex } from '../../util/digest.js';
import { arithmeticVersion } from '../arithmetic.js';
import type { CompiledProgram } from '../cache/entry.js';
import type { Engine, EngineInfo, EvaluateProgram, InstructionSet, ProgramSpec, TrainProgram } from '../engine.js';
import { EngineError } from '../errors.js';
import { imagesFeed, labelsFeed, maskFeeds, vectorFeed } from '../feeds.js';
import { decodeKernelPlan } from './kernel-plan.js';
import { loadNative } from './load/load.js';
import type { NativeRuntime } from './load/native.js';
import { RunningProgram } from './running-program.js';

/** Most threads of a program. */
const mostThreads = 64;

export interface NativeEngineOptions {
  /** Threads per program, 1 to 64. Bits don't depend on them. */
  readonly threads: number;
  /** Default: the fastest that works here. */
  readonly isa?: InstructionSet | undefined;
  /** Receives reasons for a slower instruction set than expected. */
  readonly log?: ((message: string) => void) | undefined;
  /** Cache of compiled programs; default: no cache. */
  readonly cacheDirectory?: string | undefined;
}

type Source = (spec: ProgramSpec) => Promise<CompiledProgram>;

/**
 * Creates an engine that computes with Lockstep's own kernels: the same bits on every machine (docs/arithmetic.md).
 * `run` blocks the calling thread.
 * @throws EngineError BAD_INPUT for a wrong number of threads, RUNTIME when the instruction set isn't available.
 */
export async function createNativeEngine(options: NativeEngineOptions): Promise<Engine> {
  checkThreads(options.threads);
  const runtime = loadNative(options.isa);
  const source = await sourceFor(options);
  const running = new Set<RunningProgram>();
  let { threads } = options;
  const open = async (spec: ProgramSpec) => {
    const compiled = await source(spec);
    const program = start(runtime, compiled, spec, threads);
    running.add(program);
    return { compiled, program, end: () => (running.delete(program), program.dispose()) };
  };
  return {
    info: infoOf(runtime, threads),
    compileTrain: async (spec) => trainProgram(spec, await open(spec)),
    compileEvaluate: async (spec) => evaluateProgram(spec, await open(spec)),
    setThreads(count) {
      checkThreads(count);
      threads = count;
      for (const program of running) program.setThreads(count);
    },
  };
}

function checkThreads(threads: number): void {
  if (Number.isInteger(threads) && threads >= 1 && threads <= mostThreads) return;
  const message = `create engine: expected 1 to ${mostThreads} threads, got ${threads}; correct engine.threads`;
  throw new EngineError('BAD_INPUT', message);
}

function infoOf({ isa, reason }: NativeRuntime, threads: number): EngineInfo {
  return {
    name: 'native',
    version: `arithmetic ${arithmeticVersion}`,
    device: 'cpu',
    lowering: 'kernel plan',
    threads,
    arithmetic: arithmeticVersion,
    target: isa,
    reason,
  };
}

/** Compiles programs on request, or loads them from the cache: the bytes are the same. */
async function sourceFor({ cacheDirectory, log }: NativeEngineOptions): Promise<Source> {
  const compile: Source = async (spec) => (await import('./compile-program.js')).compileProgram(spec);
  if (cacheDirectory === undefined) return compile;
  const { ProgramCache } = await import('../cache/program-cache.js');
  const cache = await ProgramCache.open(cacheDirectory, log);
  return async (spec) => {
    const key = sha256Hex(canonicalJson({ compiler: cache.compiler, native: spec }));
    const found = await cache.load(key);
    if (found) return found;
    const program = await compile(spec);
    await cache.store(key, program);
    return program;
  };
}

function start(runtime: NativeRuntime, compiled: CompiledProgram, spec: ProgramSpec, threads: number): RunningProgram {
  const { plan, constants } = decodeKernelPlan(compiled.bytes);
  return new RunningProgram(runtime.createProgram(plan, constants, threads), spec, compiled);
}

/** The same function with a promise of its result, or of its error. */
function promised<A, R>(call: (argument: A) => R): (argument: A) => Promise<R> {
  // eslint-disable-next-line @typescript-eslint/require-await
  return async (argument) => call(argument);
}

interface Opened {
  readonly compiled: CompiledProgram;
  readonly program: RunningProgram;
  readonly end: () => Promise<void>;
}

function trainProgram(spec: ProgramSpec, { compiled, program, end }: Opened): TrainProgram {
  return {
    mode: 'train',
    batch: spec.batch,
    masks: compiled.masks,
    run: promised((input) => {
      program.check();
      imagesFeed(input, spec);
      labelsFeed(input, spec);
      vectorFeed('params', input.params, compiled.parameterCount);
      maskFeeds(input, compiled.masks);
      return program.train(input);
    }),
    dispose: end,
  };
}

function evaluateProgram(spec: ProgramSpec, { compiled, program, end }: Opened): EvaluateProgram {
  return {
    mode: 'evaluate',
    batch: spec.batch,
    run: promised((input) => {
      program.check();
      imagesFeed(input, spec);
      vectorFeed('params', input.params, compiled.parameterCount);
      if (compiled.stateCount > 0) vectorFeed('state', input.state, compiled.stateCount);
      return program.evaluate(input);
    }),
    dispose: end,
  };
}
