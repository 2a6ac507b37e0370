import { describe, expect, it } from 'vitest';
import type { Engine, EvaluateProgram, ModelTopology, ProgramInput, TrainProgram } from '../../engine/engine.js';
import { describeModel, initialWeights } from '../../engine/model/model.js';
import { drawMasks } from '../../job/dropout.js';
import { quickEngines } from './engines.js';
import { families, modelOf } from './layers/cases.js';
import { evaluateOnCpu, normalise, trainOnCpu } from './layers/oracle.js';
import { relativeError } from './parity/compare.js';
import { thorough } from '../thorough.js';

const imageShape = [8, 8, 2] as const;
const batch = 5;
const common = { imageShape, classes: 3, normalise, batch };
const images = Uint8Array.from({ length: batch * 128 }, (_, i) => (i * 37 + ((i * i) % 91)) % 256);
const labels = Int32Array.of(0, 1, 2, 1, 0);
const engines = (await quickEngines()).slice(0, thorough ? undefined : 1);

/** Initial weights, moved slightly, as biases and shifts begin at 0; running statistics other than 0 and 1. */
async function vectorsOf(topology: ModelTopology): Promise<Pick<ProgramInput, 'params' | 'state'>> {
  const { params, state } = await initialWeights(topology, 3);
  return {
    params: params.map((w, i) => w + 0.1 * Math.sin(i + 1)),
    state: state.map((s, i) => s + 0.3 * Math.abs(Math.sin(i + 1))),
  };
}

async function inputFor(program: TrainProgram, topology: ModelTopology): Promise<ProgramInput> {
  const masks = drawMasks(program.masks, { seed: 1, step: 2, shard: 3 });
  return { ...(await vectorsOf(topology)), images, labels, masks };
}

for (const [family, cases] of Object.entries(families)) {
  describe(`gradient, loss, statistics and answers equal those of TF.js: ${family}`, () => {
    it.each(Object.entries(cases))('%s', async (_, body) => {
      const topology = modelOf(body, imageShape).toJSON(null, false) as unknown as ModelTopology;
      for (const engine of engines) await compareWithOracle(engine, topology);
    });
  });
}

async function compareWithOracle(engine: Engine, topology: ModelTopology): Promise<void> {
  const train = await engine.compileTrain({ ...common, topology, mode: 'train' });
  const input = await inputFor(train, topology);
  const job = { topology, imageShape, input, masks: train.masks };
  const expected = await trainOnCpu(job);
  const actual = await train.run(input);
  const layout = await describeModel(topology);
  expect(actual.lossSum / expected.lossSum).toBeCloseTo(1, 5);
  expect(actual.correct).toBe(expected.correct);
  expect(relativeError(actual.statistics, expected.statistics)).toBeLessThan(5e-6);
  const floor = 1e-2 * Math.sqrt(expected.gradient.reduce((sum, g) => sum + g * g, 0));
  for (const { name, offset, size } of layout.parameters) {
    const [ours, theirs] = [actual, expected].map(({ gradient }) => gradient.subarray(offset, offset + size));
    expect(relativeError(ours!, theirs!, floor), `${engine.info.lowering} ${name}`).toBeLessThan(1e-5);
  }
  const evaluate = await engine.compileEvaluate({ ...common, topology, mode: 'evaluate' });
  const { logProbabilities } = await evaluate.run(input);
  expect(relativeError(logProbabilities, await evaluateOnCpu(job))).toBeLessThan(5e-6);
  await dispose(train, evaluate);
}

async function dispose(...programs: (TrainProgram | EvaluateProgram)[]): Promise<void> {
  for (const program of programs) await program.dispose();
}
