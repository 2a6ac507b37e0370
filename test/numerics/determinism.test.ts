import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { describeModel, initialWeights } from '../../engine/model/model.js';
import { createOnnxEngine } from '../../engine/onnx/engine.js';
import { probeNchwc } from '../../engine/onnx/probe.js';
import { builtinTopology } from '../../job/models.js';
import { fingerprint, probeInput } from '../../worker/fingerprint.js';

/** The portable lowering promises equal bits for two threads only. */
const isBlocked = 'block' in (await probeNchwc(1));

/** SHA-256 of everything that a model's programs return, computed by a separate process from the built engine. */
function digest(model: string, lowering: string, threads: number): string {
  const script = fileURLToPath(new URL('digest-run.mjs', import.meta.url));
  return execFileSync(process.execPath, [script, model, lowering, String(threads)], {
    encoding: 'utf8',
    timeout: 60_000,
  }).trim();
}

describe.each([
  ['cnn3', 'portable'],
  ['cnn4', 'portable'],
  ['cnn3', 'auto'],
  ['cnn4', 'auto'],
])('%s with lowering %s gives the same bits', (model, lowering) => {
  const reference = digest(model, lowering, 1);

  it('in a second process', () => {
    expect(reference).toMatch(/^[0-9a-f]{64}$/);
    expect(digest(model, lowering, 1)).toBe(reference);
  });

  it('with two threads', () => {
    expect(digest(model, lowering, 2)).toBe(reference);
  });

  if (lowering === 'auto') {
    it.runIf(isBlocked)("with 3, 5 and 8 threads (needs a CPU with ONNX Runtime's blocked convolutions)", () => {
      for (const threads of [3, 5, 8]) expect(digest(model, lowering, threads), `${threads} threads`).toBe(reference);
    });
  }
});

describe('resnet20, whose bits depend on the number of threads,', () => {
  it.each([1, 2])('gives the same bits in a second process with %i of them', (threads) => {
    expect(digest('resnet20', 'auto', threads)).toBe(digest('resnet20', 'auto', threads));
  });

  it('has another fingerprint with two threads if it gives other bits, so that no job mixes them', async () => {
    const [one, two] = [await resnetStep(1), await resnetStep(2)];
    expect(two.fingerprint === one.fingerprint).toBe(Buffer.compare(two.gradient, one.gradient) === 0);
  });
});

/** Fingerprint of resnet20's training program, and the bytes of its gradient at initial weights. */
async function resnetStep(threads: number): Promise<{ fingerprint: string; gradient: Uint8Array }> {
  const [imageShape, classes, batch] = [[32, 32, 3] as const, 10, 49];
  const topology = builtinTopology('resnet20', imageShape, classes);
  const normalise = { mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25] };
  const engine = await createOnnxEngine({ threads });
  const program = await engine.compileTrain({ topology, imageShape, classes, normalise, batch, mode: 'train' });
  const shapes = {
    ...(await describeModel(topology)),
    dataset: { imageShape, classes: Array<string>(classes).fill('') },
  } as unknown as Parameters<typeof probeInput>[1];
  const { params } = await initialWeights(topology, 1);
  const { gradient } = await program.run({ ...probeInput(batch, shapes), params });
  const found = await fingerprint({ train: [program], evaluate: [] }, shapes);
  await program.dispose();
  return { fingerprint: found, gradient: new Uint8Array(gradient.buffer, gradient.byteOffset, gradient.byteLength) };
}
