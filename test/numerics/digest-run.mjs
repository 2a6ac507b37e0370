// Prints the SHA-256 of all results of a model's programs: training at batches 49, 9 and 4, evaluation at 100.
// Usage: node digest-run.mjs MODEL THREADS [INSTRUCTION SET]
import { createHash } from 'node:crypto';
import { describeModel, initialWeights } from '../../dist/engine/model/model.js';
import { createEngine } from '../../dist/engine/create.js';
import { builtinTopology } from '../../dist/job/models.js';

const [, , name, threads, isa] = process.argv;
const [classes, imageShape] = [10, [32, 32, 3]];
const normalise = { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.243, 0.261] };
const topology = builtinTopology(name, imageShape, classes);
const { params, state } = await initialWeights(topology, 1);
const engine = await createEngine({ name: 'native', threads: Number(threads), isa });
const hash = createHash('sha256').update(JSON.stringify(await describeModel(topology)));
hash.update(params).update(state);

const inputs = (batch) => ({
  params,
  state,
  images: Uint8Array.from({ length: batch * 3072 }, (_, i) => Math.imul(i, 2654435761) >>> 24),
  labels: Int32Array.from({ length: batch }, (_, i) => i % classes),
});
for (const batch of [49, 9, 4]) {
  const program = await engine.compileTrain({ topology, imageShape, classes, normalise, batch, mode: 'train' });
  for (let run = 0; run < 2; run++) {
    const { gradient, statistics, lossSum, correct } = await program.run(inputs(batch));
    hash.update(gradient).update(statistics).update(Float64Array.of(lossSum, correct));
  }
}
const program = await engine.compileEvaluate({
  topology,
  imageShape,
  classes,
  normalise,
  batch: 100,
  mode: 'evaluate',
});
hash.update((await program.run(inputs(100))).logProbabilities);
console.log(hash.digest('hex'));
