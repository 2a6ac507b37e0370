import type { ModelLayout, ModelTopology, ProgramSpec, WeightInfo } from '../engine.js';
import { inputsOf, newLowering, writeOutput } from '../lower/lower-program.js';
import type { LoweringOptions } from '../lower/lowering.js';
import { portable } from '../lower/portable.js';
import { layoutOf, loadBlankModel } from '../model/model.js';

/** Inputs of an ONNX export; `params` and `state` are the model's flat vectors. */
export interface OnnxExport {
  readonly topology: ModelTopology;
  readonly imageShape: ProgramSpec['imageShape'];
  readonly classes: number;
  readonly normalise: ProgramSpec['normalise'];
  readonly params: Float32Array;
  readonly state: Float32Array;
  /** Metadata of the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Exports a trained model as an ONNX file with weights and normalisation: u8 `images` `[N, H, W, C]` to
 * `log_probabilities` `[N, classes]`.
 *
 * N is variable, or 1 if the traced operations depend on it.
 */
export async function exportOnnx(request: OnnxExport): Promise<Uint8Array> {
  // Two sizes that occur in no model: the files differ if an operation depends on N.
  const [first, second] = [await exportBatch(request, 100_003, true), await exportBatch(request, 100_019, true)];
  return Buffer.compare(first, second) === 0 ? first : exportBatch(request, 1, false);
}

async function exportBatch(request: OnnxExport, batch: number, open: boolean): Promise<Uint8Array> {
  const { traceEvaluation } = await import('../trace/program.js');
  const model = await loadBlankModel(request.topology);
  const layout = layoutOf(model, request.topology);
  const program = traceEvaluation(model, { ...request, batch, mode: 'evaluate' });
  model.dispose();
  const values = new Map([...pieces(layout.parameters, request.params), ...pieces(layout.state, request.state)]);
  const weight = asInitializers(values);
  const lowering = newLowering(program, { rules: portable, weight, openBatch: open ? batch : undefined });
  const { writer } = lowering;
  const rows = open ? 'N' : batch;
  for (const { attrs, shape } of inputsOf(program)) writer.input(attrs.name, attrs.stored, [rows, ...shape.slice(1)]);
  for (const output of program.outputs) writeOutput(lowering, output, rows);
  // Weights that don't affect the result, so that the file is a complete model.
  for (const [name, { data, shape }] of values) writer.initializer(name, data, shape);
  return writer.build(request.metadata);
}

interface Weight {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Writes a weight on first use, and removes it from `values`. */
function asInitializers(values: Map<string, Weight>): LoweringOptions['weight'] {
  return (writer, node) => {
    const { name } = node.attrs;
    const { data } = values.get(name)!;
    values.delete(name);
    return writer.initializer(name, data, node.shape);
  };
}

function pieces(weights: readonly WeightInfo[], vector: Float32Array): (readonly [string, Weight])[] {
  return weights.map(({ name, shape, offset, size }) => [
    name,
    { data: vector.subarray(offset, offset + size), shape },
  ]);
}

/** A TF.js Layers model: contents of `model.json` and `weights.bin`, for `tf.loadLayersModel`. */
export interface TfjsModel {
  readonly modelJson: Readonly<Record<string, unknown>>;
  readonly weights: Uint8Array;
}

/** Exports a trained model for TF.js. It takes normalised pixels and returns logits. */
export function exportTfjs(
  topology: ModelTopology,
  layout: ModelLayout,
  params: Float32Array,
  state: Float32Array,
): TfjsModel {
  const weights = new Uint8Array(4 * (layout.parameterCount + layout.stateCount));
  weights.set(new Uint8Array(params.buffer, params.byteOffset, params.byteLength));
  weights.set(new Uint8Array(state.buffer, state.byteOffset, state.byteLength), 4 * layout.parameterCount);
  const specs = [...layout.parameters, ...layout.state].map(({ name, shape }) => ({ name, shape, dtype: 'float32' }));
  const modelJson = {
    format: 'layers-model',
    generatedBy: 'Lockstep',
    convertedBy: null,
    modelTopology: topology,
    weightsManifest: [{ paths: ['weights.bin'], weights: specs }],
  };
  return { modelJson, weights };
}
