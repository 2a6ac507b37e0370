import type { ModelLayout, WeightInfo } from '../../engine/engine.js';
import { decodeSafetensors, type NamedTensor, safetensorsHeader } from '../safetensors.js';
import { stateDigest, type TrainingState } from '../../job/digest.js';
import { canonicalJson, sha256Hex } from '../../util/digest.js';
import { JobError } from '../../job/errors.js';
import { createOptimizer } from '../../job/optimizer.js';
import type { JobSpec } from '../../job/spec.js';

/**
 * Layout of a training state in one vector, in memory and in a checkpoint's data alike: parameters, then each slot of the
 * optimizer, then running statistics.
 */
export interface StateLayout {
  readonly model: ModelLayout;
  /** Names of the optimizer's slots, in order. */
  readonly slots: readonly string[];
}

/** Content of a checkpoint: a state, and the position of the job's digest chain. */
export interface Checkpoint {
  readonly state: TrainingState;
  /** Chain entry of the last complete epoch; the job digest before the first. */
  readonly chain: string;
}

/** Metadata of a checkpoint, except its own digest. */
export interface CheckpointHead {
  /** Job digest. */
  readonly job: string;
  /** Committed updates. */
  readonly step: number;
  readonly chain: string;
}

/** The layout of a job's states. */
export function stateLayout({ optimizer }: Pick<JobSpec, 'optimizer'>, model: ModelLayout): StateLayout {
  return { model, slots: createOptimizer(optimizer, 0).slots.map(({ name }) => name) };
}

export function vectorLength({ model, slots }: StateLayout): number {
  return model.parameterCount * (1 + slots.length) + model.stateCount;
}

/** The state in `vector`; its arrays are views. */
export function viewState({ model, slots }: StateLayout, step: number, vector: Float32Array): TrainingState {
  const { parameterCount: count, stateCount } = model;
  const part = (index: number) => vector.subarray(index * count, (index + 1) * count);
  const begin = count * (1 + slots.length);
  return {
    step,
    params: part(0),
    slots: slots.map((name, i) => ({ name, values: part(i + 1) })),
    state: vector.subarray(begin, begin + stateCount),
  };
}

/** Copies `state` into `vector` `[vectorLength]`. */
export function fillVector(vector: Float32Array, { params, slots, state }: TrainingState): void {
  let offset = 0;
  for (const values of [params, ...slots.map((slot) => slot.values), state]) {
    vector.set(values, offset);
    offset += values.length;
  }
}

/** Encodes a checkpoint file as header and data; the data is `vector` itself, not a copy. */
export function encodeCheckpoint(layout: StateLayout, head: CheckpointHead, vector: Float32Array): Uint8Array[] {
  const { job, step, chain } = head;
  const state = viewState(layout, step, vector);
  const metadata = { job, step: String(step), chain, digest: checkpointDigest(head, state) };
  const header = safetensorsHeader(tensorsOf(layout, state), metadata);
  return [header, new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)];
}

/**
 * Decodes a checkpoint file and verifies its content.
 * @throws JobError BAD_RUN_DIRECTORY, or EngineError BAD_FILE, when it is damaged or of another job.
 */
export function decodeCheckpoint(
  layout: StateLayout,
  wanted: { readonly job: string; readonly step: number },
  bytes: Uint8Array,
): Checkpoint {
  const { tensors, metadata } = decodeSafetensors(bytes);
  const head = { ...wanted, chain: metadata['chain'] ?? '' };
  if (metadata['job'] !== head.job) throw damaged(`job ${head.job}`, `job ${metadata['job']}`);
  if (metadata['step'] !== String(head.step)) throw damaged(`step ${head.step}`, `step ${metadata['step']}`);
  const state = viewState(layout, head.step, new Float32Array(vectorLength(layout)));
  const places = tensorsOf(layout, state);
  if (tensors.length !== places.length) throw damaged(`${places.length} tensors`, `${tensors.length}`);
  places.forEach(({ name, values }, i) => {
    const found = tensors[i]!;
    if (found.name !== name || found.values.length !== values.length) {
      throw damaged(`${values.length} values of ${name}`, `${found.values.length} of ${found.name}`);
    }
    values.set(found.values);
  });
  const digest = checkpointDigest(head, state);
  if (digest !== metadata['digest']) throw damaged(`digest ${metadata['digest']}`, digest);
  return { state, chain: head.chain };
}

/** Digest of the state and its metadata. */
function checkpointDigest({ job, step, chain }: CheckpointHead, state: TrainingState): string {
  return sha256Hex(canonicalJson({ job, step, chain, state: stateDigest(state) }));
}

function tensorsOf({ model }: StateLayout, { params, slots, state }: TrainingState): NamedTensor[] {
  return [
    ...namedTensors(model.parameters, params, ''),
    ...slots.flatMap(({ name, values }) => namedTensors(model.parameters, values, `optimizer.${name}/`)),
    ...namedTensors(model.state, state, ''),
  ];
}

/** The tensors of a flat vector; their values are views. */
export function namedTensors(weights: readonly WeightInfo[], values: Float32Array, prefix: string): NamedTensor[] {
  return weights.map(({ name, shape, offset, size }) => ({
    name: `${prefix}${name}`,
    shape,
    values: values.subarray(offset, offset + size),
  }));
}

function damaged(expected: string, got: string): JobError {
  return new JobError('BAD_RUN_DIRECTORY', `checkpoint: expected ${expected}, got ${got}`);
}
