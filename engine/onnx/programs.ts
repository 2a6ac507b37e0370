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
import type { Device } from './device.js';
import { showingNonFinite } from './non-finite.js';
import { describePlacement, openOnGpu } from './placement.js';
import { OnnxSession } from './session.js';

type Feeds = Readonly<Record<string, Feed>>;

export async function trainProgram(spec: ProgramSpec, model: CompiledProgram, device: Device): Promise<TrainProgram> {
  const feedsOf = (input: ProgramInput): Feeds => ({
    params: vectorFeed('params', input.params, model.parameterCount),
    images: imagesFeed(input, spec),
    labels: labelsFeed(input, spec),
    ...maskFeeds(input, model.masks),
  });
  const { session, placement } = await open(spec, model, device, feedsOf);
  const program: TrainProgram = {
    mode: 'train',
    batch: spec.batch,
    masks: model.masks,
    run: shown(device, ['params'], async (input) => {
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
  return placement === undefined ? program : { ...program, placement };
}

export async function evaluateProgram(
  spec: ProgramSpec,
  model: CompiledProgram,
  device: Device,
): Promise<EvaluateProgram> {
  const feedsOf = (input: ProgramInput): Feeds => ({
    params: vectorFeed('params', input.params, model.parameterCount),
    images: imagesFeed(input, spec),
    ...(model.stateCount > 0 ? { state: vectorFeed('state', input.state, model.stateCount) } : {}),
  });
  const { session } = await open(spec, model, device, feedsOf);
  return {
    mode: 'evaluate',
    batch: spec.batch,
    run: shown(device, ['params', 'state'], async (input) => {
      const { log_probabilities: rows } = await session.run(feedsOf(input));
      return { logProbabilities: rows!.data as Float32Array };
    }),
    dispose: () => session.dispose(),
  };
}

/** `run` whose results are NaN for non-finite inputs on every device. */
function shown<Result extends TrainResult | EvaluateResult>(
  device: Device,
  read: readonly ('params' | 'state')[],
  run: (input: ProgramInput) => Promise<Result>,
): (input: ProgramInput) => Promise<Result> {
  return device.kind === 'webgpu' ? showingNonFinite((input) => read.map((name) => input[name]), run) : run;
}

async function open(
  spec: ProgramSpec,
  model: CompiledProgram,
  device: Device,
  feedsOf: (input: ProgramInput) => Feeds,
): Promise<{ readonly session: OnnxSession; readonly placement?: string }> {
  if (device.kind === 'cpu') return { session: await OnnxSession.create(model.bytes, { device }) };
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
