import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { type ModelProto, ModelProtoSchema } from 'onnx-buf';
import { z } from 'zod';
import type { ModelTopology, WeightInfo } from '../../engine/engine.js';
import { EngineError } from '../../engine/errors.js';
import { describeModel } from '../../engine/model/model.js';
import { decodeSafetensors } from '../safetensors.js';
import { JobError } from '../../job/errors.js';
import { cardKey, type ModelCard, parseCard } from '../../job/model-card.js';
import type { TrainedModel } from './trained-model.js';

/**
 * Reads a model file that Lockstep wrote: `model.json` with its weights file, `.onnx` or `.safetensors`.
 * @throws JobError BAD_OPTION, or EngineError, that names the file.
 */
export async function readModelFile(path: string): Promise<TrainedModel> {
  if (path.endsWith('.onnx')) return readOnnx(path);
  if (path.endsWith('.safetensors')) return readSafetensors(path);
  if (path.endsWith('.json')) return readTfjs(path);
  throw notRead(path, 'a run, model.json, .onnx or .safetensors', 'another file');
}

/** Reads topology and weights of an ONNX file from its metadata and its constants; its graph isn't run. */
async function readOnnx(path: string): Promise<TrainedModel> {
  const { metadataProps, graph } = decodeOnnx(await readFile(path), path);
  const metadata = Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
  const card = parseCard(parsed(metadata[cardKey], path), path);
  const topology = parsed(metadata['topology'], path) as ModelTopology | undefined;
  if (topology === undefined) {
    throw notRead(path, "the model's topology in the metadata", 'none, as in files of Lockstep 0.5 and earlier');
  }
  const tensors = new Map((graph?.initializer ?? []).map(({ name, rawData }) => [name, rawData]));
  return assemble({ card, topology, path }, ({ name }) => floatsOf(tensors.get(name)));
}

/** A copy, because the bytes may be unaligned. */
function floatsOf(bytes: Uint8Array | undefined): Float32Array | undefined {
  return bytes && new Float32Array(Uint8Array.from(bytes).buffer, 0, Math.floor(bytes.length / 4));
}

async function readSafetensors(path: string): Promise<TrainedModel> {
  const { tensors, metadata } = decodeSafetensors(await readFile(path));
  const card = parseCard(parsed(metadata[cardKey], path), path);
  const topology = parsed(metadata['topology'], path) as ModelTopology;
  const values = new Map(tensors.map((tensor) => [tensor.name, tensor.values]));
  return assemble({ card, topology, path }, ({ name }) => values.get(name));
}

/** A single weights file, as `exportTfjs` writes it. Its path is a plain name, so it's in the folder of `model.json`. */
const manifestSchema = z
  .array(
    z.object({
      paths: z
        .array(
          z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/, 'expected the name of a file in the same folder'),
        )
        .length(1),
      weights: z.array(z.object({ name: z.string(), shape: z.array(z.int().min(0)) })),
    }),
  )
  .length(1);

interface TfjsJson {
  readonly modelTopology: ModelTopology;
  readonly weightsManifest: unknown;
  readonly userDefinedMetadata?: Readonly<Record<string, unknown>>;
}

/** Reads `model.json` and its weights, which are stored in order in a file of the same folder. */
async function readTfjs(path: string): Promise<TrainedModel> {
  const json = parsed(await readFile(path, 'utf8'), path) as TfjsJson | null;
  const card = parseCard(json?.userDefinedMetadata?.[cardKey], path);
  const manifest = manifestSchema.safeParse(json!.weightsManifest);
  if (!manifest.success) {
    const { path: field, message } = manifest.error.issues[0]!;
    throw notRead(path, 'a weightsManifest of one file', `${field.join('.') || 'none'}: ${message}`);
  }
  const { paths, weights } = manifest.data[0]!;
  const bytes = await readSibling(path, paths[0]!);
  const vector = new Float32Array(Uint8Array.from(bytes).buffer, 0, Math.floor(bytes.length / 4));
  const values = new Map<string, Float32Array>();
  let offset = 0;
  for (const { name, shape } of weights) {
    const size = shape.reduce((product, side) => product * side, 1);
    values.set(name, vector.subarray(offset, (offset += size)));
  }
  return assemble({ card, topology: json!.modelTopology, path }, ({ name }) => values.get(name));
}

/** Reads a regular file in the folder of `path`; a symbolic link could lead out of it. */
async function readSibling(path: string, name: string): Promise<Uint8Array> {
  const file = join(dirname(path), name);
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause: NodeJS.ErrnoException) => {
      const found = cause.code === 'ELOOP' ? 'a symbolic link' : cause.message;
      throw notRead(path, `a regular file ${name} in the same folder`, found, cause);
    },
  );
  try {
    if ((await handle.stat()).isFile()) return await handle.readFile();
    throw notRead(path, `a regular file ${name} in the same folder`, 'something else');
  } finally {
    await handle.close();
  }
}

/** Assembles weights into a model's flat vectors. */
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

/** @param path - for messages. @throws EngineError BAD_FILE */
function decodeOnnx(file: Uint8Array, path: string): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, file);
  } catch (cause) {
    const message = `read ONNX: expected an ONNX model, got ${(cause as Error).message}; ${path}; use another file`;
    throw new EngineError('BAD_FILE', message, { cause });
  }
}
