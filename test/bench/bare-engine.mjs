// The engine alone: cnn3, batch 49, one thread, program and SGD in this one thread. Prints ms per step as JSON.
// Usage: node test/bench/bare-engine.mjs STEPS
import { createEngine } from '../../dist/engine/create.js';
import { describeModel, initialWeights } from '../../dist/engine/model/model.js';
import { builtinTopology } from '../../dist/job/models.js';
import { createOptimizer } from '../../dist/job/optimizer.js';

const steps = Number(process.argv[2] ?? 200);
const [batch, classes, imageShape] = [49, 10, [32, 32, 3]];
const topology = builtinTopology('cnn3', imageShape, classes);
const layout = await describeModel(topology);
const { params, state } = await initialWeights(topology, 1);
const engine = await createEngine({ name: 'onnx', device: 'cpu', threads: 1 });
const normalise = { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.243, 0.261] };
const program = await engine.compileTrain({ topology, imageShape, classes, normalise, batch, mode: 'train' });
const optimizer = createOptimizer(
  { type: 'sgd', learningRate: 0.01, momentum: 0.9, nesterov: false, weightDecay: 0 },
  layout.parameterCount,
);
const images = Uint8Array.from({ length: batch * 3072 }, (_, i) => (i * 2654435761) >>> 24);
const labels = Int32Array.from({ length: batch }, (_, i) => i % classes);
const times = [];
for (let step = 0; step < steps + 20; step++) {
  const begin = performance.now();
  const { gradient } = await program.run({ params, state, images, labels });
  optimizer.apply(params, gradient, { samples: batch, learningRate: 0.01, step });
  if (step >= 20) times.push(performance.now() - begin);
}
console.log(JSON.stringify(times));
