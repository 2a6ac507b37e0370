import { loadRuntime } from '../../../engine/onnx/session.js';

/** Images per call. */
const batch = 500;

/**
 * Runs an exported model (`exportOnnx`) with ONNX Runtime, as other programs do.
 * @param images - u8 `[count, H, W, C]`.
 * @returns log-probabilities, `[count, classes]`.
 */
export async function runExported(
  model: Uint8Array,
  { count, images }: { readonly count: number; readonly images: Uint8Array },
  imageShape: readonly [number, number, number],
): Promise<Float32Array> {
  const { InferenceSession, Tensor } = await loadRuntime();
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const size = imageShape.reduce((product, side) => product * side, 1);
  const rows: Float32Array[] = [];
  for (let first = 0; first < count; first += batch) {
    const last = Math.min(count, first + batch);
    const pixels = images.subarray(first * size, last * size);
    const answers = await session.run({ images: new Tensor('uint8', pixels, [last - first, ...imageShape]) });
    rows.push(answers['log_probabilities']!.data as Float32Array);
  }
  await session.release();
  const all = new Float32Array(rows.reduce((length, row) => length + row.length, 0));
  rows.reduce((offset, row) => (all.set(row, offset), offset + row.length), 0);
  return all;
}
