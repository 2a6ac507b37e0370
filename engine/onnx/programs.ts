import type { CompiledProgram } from '../cache/entry.js';
import type {
  EvaluateProgram,
  EvaluateResult,
  ProgramInput,
  ProgramSpec,
  TrainProgram,
  TrainResult,
} from '../engine.js';
import { type Feed, imagesFeed, labelsFeed, maskFeeds, vectorFeed } from '../feeds.js';
import type { Gpu } from './device.js';
import { showingNonFinite } from './non-finite.js';
import { describePlacement, openOnGpu } from './placement.js';
import { OnnxSession } from './session.js';

/** Threads of a program with an extra thread. */
const wideThreads = 2;

/** Device of a program. Threads that the job requests spin; extra threads sleep, so that they don't block others. */
export type Place =
  | {
      readonly kind: 'cpu';
      readonly threads: number;
      readonly waiting: 'spin' | 'sleep';
      /** Reason for not using a detected GPU. */
      readonly insteadOf?: string;
    }
  | { readonly kind: 'gpu'; readonly device: Gpu };

type Feeds = Readonly<Record<string, Feed>>;

export async function trainProgram(spec: ProgramSpec, model: CompiledProgram, place: Place): Promise<TrainProgram> {
  const feedsOf = (input: ProgramInput): Feeds => ({
    params: vectorFeed('params', input.params, model.parameterCount),
    images: imagesFeed(input, spec),
    labels: labelsFeed(input, spec),
    ...maskFeeds(input, model.masks),
  });
  const { session, placement } = await open(spec, model, place, feedsOf);
  const program: TrainProgram = {
    mode: 'train',
    batch: spec.batch,
    masks: model.masks,
    run: shown(place, ['params'], async (input) => {
      const { gradient, statistics, loss, correct } = await session.run(feedsOf(input));
      return {
        gradient: gradient!.data as Float32Array,
        statistics: (statistics?.data as Float32Array | undefined) ?? new Float32Array(0),
        lossSum: loss!.data[0] as number,
        correct: correct!.data[0] as number,
      };
    }),
    dispose: () => session.dispose(),
  };
  const placed = placement === undefined ? program : { ...program, placement };
  if (place.kind === 'gpu') return placed;
  const wide: Place = { kind: 'cpu', threads: wideThreads, waiting: 'sleep' };
  return { ...placed, widened: () => trainProgram(spec, model, wide) };
}

export async function evaluateProgram(
  spec: ProgramSpec,
  model: CompiledProgram,
  place: Place,
): Promise<EvaluateProgram> {
  const feedsOf = (input: ProgramInput): Feeds => ({
    params: vectorFeed('params', input.params, model.parameterCount),
    images: imagesFeed(input, spec),
    ...(model.stateCount > 0 ? { state: vectorFeed('state', input.state, model.stateCount) } : {}),
  });
  const { session } = await open(spec, model, place, feedsOf);
  return {
    mode: 'evaluate',
    batch: spec.batch,
    run: shown(place, ['params', 'state'], async (input) => {
      const { log_probabilities: rows } = await session.run(feedsOf(input));
      return { logProbabilities: rows!.data as Float32Array };
    }),
    dispose: () => session.dispose(),
  };
}

/** `run` whose results are NaN for non-finite inputs on every device. */
function shown<Result extends TrainResult | EvaluateResult>(
  place: Place,
  read: readonly ('params' | 'state')[],
  run: (input: ProgramInput) => Promise<Result>,
): (input: ProgramInput) => Promise<Result> {
  const hides = place.kind === 'gpu' && place.device.kind === 'webgpu';
  return hides ? showingNonFinite((input) => read.map((name) => input[name]), run) : run;
}

async function open(
  spec: ProgramSpec,
  model: CompiledProgram,
  place: Place,
  feedsOf: (input: ProgramInput) => Feeds,
): Promise<{ readonly session: OnnxSession; readonly placement?: string }> {
  if (place.kind === 'cpu') {
    const session = await OnnxSession.create(model.bytes, place);
    return place.insteadOf === undefined ? { session } : { session, placement: place.insteadOf };
  }
  const { device } = place;
  const { session, placement } = await openOnGpu(model.bytes, device, feedsOf(blankInput(spec, model)));
  return { session, placement: describePlacement(device, placement) };
}

/** Zero inputs, except a state of ones, because variances must be positive. */
function blankInput({ batch, imageShape }: ProgramSpec, { parameterCount, stateCount, masks }: CompiledProgram) {
  return {
    params: new Float32Array(parameterCount),
    state: new Float32Array(stateCount).fill(1),
    images: new Uint8Array(batch * imageShape.reduce((a, b) => a * b)),
    labels: new Int32Array(batch),
    masks: masks.map(({ size }) => new Float32Array(size)),
  };
}
