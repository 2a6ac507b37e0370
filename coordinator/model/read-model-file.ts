import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readMetadata } from '../../engine/emit/read-metadata.js';
import type { ModelTopology, WeightInfo } from '../../engine/engine.js';
import { describeModel } from '../../engine/model.js';
import { decodeSafetensors } from '../../engine/safetensors.js';
import { JobError } from '../../job/errors.js';
import { cardKey, type ModelCard, parseCard } from '../../job/model-card.js';
import type { TrainedModel } from './trained-model.js';

/** An ONNX file has its weights in its operators, so it can be used, not turned into other formats. */
export interface OnnxModel {
  readonly card: ModelCard;
  readonly onnx: Uint8Array;
}

/**
 * Reads a model file that Lockstep has written: `model.json` with its weights beside it, `.onnx` or `.safetensors`.
 * @throws JobError BAD_OPTION, or EngineError, that names the file.
 */
export async function readModelFile(path: string): Promise<TrainedModel | OnnxModel> {
  if (path.endsWith('.onnx')) {
    const onnx = await readFile(path);
    return { card: parseCard(parsed(readMetadata(onnx, path)[cardKey], path), path), onnx };
  }
  if (path.endsWith('.safetensors')) return readSafetensors(path);
  if (path.endsWith('.json')) return readTfjs(path);
  throw notRead(path, 'a run, model.json, .onnx or .safetensors', 'another file');
}

async function readSafetensors(path: string): Promise<TrainedModel> {
  const { tensors, metadata } = decodeSafetensors(await readFile(path));
  const card = parseCard(parsed(metadata[cardKey], path), path);
  const topology = parsed(metadata['topology'], path) as ModelTopology;
  const values = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
  return assemble({ card, topology, path }, ({ name }) => values.get(name));
}

interface TfjsJson {
  readonly modelTopology: ModelTopology;
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
  }[];
  readonly userDefinedMetadata?: Readonly<Record<string, unknown>>;
}

/** The weights lie one after the other in `weights.bin`, as `exportTfjs` has written them. */
async function readTfjs(path: string): Promise<TrainedModel> {
  const json = parsed(await readFile(path, 'utf8'), path) as TfjsJson;
  const card = parseCard(json.userDefinedMetadata?.[cardKey], path);
  const [group] = json.weightsManifest;
  const bytes = await readFile(join(dirname(path), group?.paths[0] ?? 'weights.bin'));
  const vector = new Float32Array(Uint8Array.from(bytes).buffer);
  const values = new Map<string, Float32Array>();
  let offset = 0;
  for (const { name, shape } of group?.weights ?? []) {
    const size = shape.reduce((product, side) => product * side, 1);
    values.set(name, vector.subarray(offset, (offset += size)));
  }
  return assemble({ card, topology: json.modelTopology, path }, ({ name }) => values.get(name));
}

/** Puts weights into a model's flat vectors, each in its place. */
async function assemble(
  { card, topology, path }: { readonly card: ModelCard; readonly topology: ModelTopology; readonly path: string },
  valuesOf: (weight: WeightInfo) => Float32Array | undefined,
): Promise<TrainedModel> {
  const layout = await describeModel(topology);
  const fill = (length: number, weights: readonly WeightInfo[]) => {
    const vector = new Float32Array(length);
    for (const weight of weights) {
      const values = valuesOf(weight);
      if (values?.length !== weight.size) {
        throw notRead(path, `${weight.size} values of ${weight.name}`, String(values?.length ?? 'none'));
      }
      vector.set(values, weight.offset);
    }
    return vector;
  };
  const params = fill(layout.parameterCount, layout.parameters);
  return { card, topology, layout, params, state: fill(layout.stateCount, layout.state) };
}

function parsed(text: string | undefined, path: string): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notRead(path, 'JSON', (cause as Error).message, cause);
  }
}

function notRead(path: string, expected: string, got: string, cause?: unknown): JobError {
  return new JobError('BAD_OPTION', `read model: expected ${expected}, got ${got}; ${path}; export it again`, {
    cause,
  });
}
