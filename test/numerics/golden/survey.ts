// npm run gradients: gradients of the native engine against PyTorch's in float64, over several weight seeds, batches and kinds of images.
// Usage: npm run gradients [-- SEEDS]
// LOCKSTEP_PYTHON names a Python with numpy and torch. Prints the largest error of each case; survey.py judges.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../../../engine/create.js';
import { describeModel } from '../../../engine/model/model.js';
import { builtinTopology } from '../../../job/models.js';
import { classes, goldenInput, imageShape, normalise } from './inputs.js';

const seeds = Number(process.argv[2] ?? 10);
const folder = mkdtempSync(join(tmpdir(), 'lockstep-survey-'));
const cases: { model: string; kind: string; batch: number; seed: number; file: string }[] = [];
try {
  const engine = await createEngine({ name: 'native', threads: 1 });
  for (const model of ['cnn3', 'cnn4', 'resnet20']) {
    const topology = builtinTopology(model, imageShape, classes);
    const layout = await describeModel(topology);
    for (const batch of [9, 49]) {
      const program = await engine.compileTrain({ topology, imageShape, classes, normalise, batch, mode: 'train' });
      for (const kind of ['textured', 'flat'] as const) {
        for (let seed = 0; seed < seeds; seed++) {
          const { gradient } = await program.run(goldenInput(layout, kind, seed, batch));
          const file = join(folder, `${model}-${kind}-${batch}-${seed}.f32`);
          writeFileSync(file, new Uint8Array(gradient.buffer, gradient.byteOffset, gradient.byteLength));
          cases.push({ model, kind, batch, seed, file });
        }
      }
      await program.dispose();
    }
  }
  const python = process.env['LOCKSTEP_PYTHON'] ?? 'python3';
  const judge = fileURLToPath(new URL('survey.py', import.meta.url));
  const { status } = spawnSync(python, [judge], {
    input: JSON.stringify(cases),
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
