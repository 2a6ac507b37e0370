import type { Engine, EvaluateProgram, ProgramSpec } from './engine.js';

/** Images to classify, and a model with its weights. */
export interface ClassifyRequest extends Omit<ProgramSpec, 'batch' | 'mode'> {
  readonly params: Float32Array;
  readonly state: Float32Array;
  readonly count: number;
  /** u8 `[count, H, W, C]` */
  readonly images: Uint8Array;
  /** Images per call; the last call may have fewer. The same number gives the same bits. */
  readonly batch: number;
}

/** Log-softmax rows `[count, classes]`, computed with the same programs and batches as a worker's evaluation. */
export async function classify(engine: Engine, request: ClassifyRequest): Promise<Float32Array> {
  const { topology, imageShape, classes, normalise, params, state, count, images, batch } = request;
  const rows = new Float32Array(count * classes);
  const imageBytes = imageShape.reduce((product, side) => product * side, 1);
  let program: EvaluateProgram | undefined;
  for (let first = 0; first < count; first += batch) {
    const size = Math.min(batch, count - first);
    if (program?.batch !== size) {
      await program?.dispose();
      const spec = { topology, imageShape, classes, normalise, batch: size, mode: 'evaluate' } as const;
      program = await engine.compileEvaluate(spec);
    }
    const pixels = images.slice(first * imageBytes, (first + size) * imageBytes);
    const { logProbabilities } = await program.run({ params, state, images: pixels, labels: new Int32Array(0) });
    rows.set(logProbabilities, first * classes);
  }
  await program?.dispose();
  return rows;
}
