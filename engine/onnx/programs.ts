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

/** A program that is widened has so many threads. */
const wideThreads = 2;

/** What a program runs on. Threads that a job asks for spin; those that help in a pause must not be in the way. */
export type Place =
  | {
      readonly kind: 'cpu';
      readonly threads: number;
      readonly waiting: 'spin' | 'sleep';
      /** Why it is not the GPU that is there. */
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

/** `run`, in which numbers that are none show on every device. */
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

/** Zeros everywhere; a variance of 0 is none. */
function blankInput({ batch, imageShape }: ProgramSpec, { parameterCount, stateCount, masks }: CompiledProgram) {
  return {
    params: new Float32Array(parameterCount),
    state: new Float32Array(stateCount).fill(1),
    images: new Uint8Array(batch * imageShape.reduce((a, b) => a * b)),
    labels: new Int32Array(batch),
    masks: masks.map(({ size }) => new Float32Array(size)),
  };
}
