import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor2D } from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModelFile } from '../../../run/model/read-model-file.js';
import { modelFiles, modelFormats, type TrainedModel } from '../../../run/model/trained-model.js';
import { classify } from '../../../engine/classify.js';
import { describeModel, initialWeights } from '../../../engine/model/model.js';
import { createOnnxEngine } from '../../../engine/onnx/engine.js';
import { runExported } from '../../engine/onnx/run-exported.js';
import { layers, tf } from '../../../engine/model/tfjs/tf.js';
import { prepareJob } from '../../../coordinator/prepare-job.js';
import { makeSynthetic } from '../../../data/synthetic.js';
import { modelCard } from '../../../job/model-card.js';
import { parseSpec } from '../../../job/spec.js';

/** Largest difference of a log-probability between ONNX Runtime and the run's own evaluation. */
const tolerance = 1e-5;
/** The same for TF.js, which sums in another order. */
const tfjsTolerance = 1e-4;

const dataset = makeSynthetic({ imagesPerBatch: 10, testImages: 30 });
let directory: string;
let model: TrainedModel;
let expected: Float32Array;

/** Weights as after some training: statistics other than 0 and 1. */
async function makeModel(): Promise<TrainedModel> {
  const spec = parseSpec({
    name: 'x',
    model: 'cnn3',
    epochs: 1,
    shards: 1,
    batchPerShard: 10,
    data: { dataset: 'synthetic' },
  });
  const { manifest } = await prepareJob(spec, dataset);
  const { topology } = manifest;
  const [layout, initial] = [await describeModel(topology), await initialWeights(topology, 7)];
  const state = initial.state.map((_, i) => 0.5 + (i % 7) / 10);
  return { card: modelCard(manifest, 12), topology, layout, params: initial.params, state };
}

async function answers({ card, topology, params, state }: TrainedModel, batch: number): Promise<Float32Array> {
  const engine = await createOnnxEngine({ device: 'cpu', lowering: 'portable' });
  const { imageShape, normalise, classes } = card;
  const { count, images } = dataset.test;
  const request = { topology, imageShape, normalise, classes: classes.length, params, state, count, images, batch };
  return classify(engine, request);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lockstep-model-'));
  model = await makeModel();
  expected = await answers(model, 30);
  for (const format of modelFormats) {
    for (const { name, content } of await modelFiles(model, format)) await writeFile(join(directory, name), content);
  }
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A model.json that names these files of weights. */
async function withWeights(name: string, paths: readonly string[]): Promise<string> {
  const [, json] = await modelFiles(model, 'tfjs');
  const content = JSON.parse(json!.content as string) as { weightsManifest: [{ paths: readonly string[] }] };
  content.weightsManifest[0].paths = paths;
  await writeFile(join(directory, name), JSON.stringify(content));
  return join(directory, name);
}

const difference = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);

describe('a model file', () => {
  it.each(['model.json', 'model.safetensors', 'model.onnx'])(
    '%s is read back to the last bit, with all that is said of it',
    async (name) => {
      const read = await readModelFile(join(directory, name));
      expect(read).toEqual(model);
      expect(read.card).toMatchObject({ step: 12, classes: dataset.classes, imageShape: [32, 32, 3] });
    },
  );

  it('in ONNX gives the answers of the evaluation', async () => {
    const onnx = await readFile(join(directory, 'model.onnx'));
    const actual = await runExported(onnx, dataset.test, dataset.imageShape);
    expect(actual).toHaveLength(300);
    expect(difference(actual, expected)).toBeLessThan(tolerance);
  });

  it('in TF.js gives them too, computed by TF.js', async () => {
    const files = await modelFiles(model, 'tfjs');
    const json = JSON.parse(files[1]!.content as string) as {
      modelTopology: object;
      weightsManifest: [{ weights: [] }];
    };
    const weightData = Uint8Array.from(files[0]!.content as Uint8Array).buffer;
    await tf.setBackend('cpu');
    const { modelTopology } = json;
    const loaded = await layers.loadLayersModel(
      tf.io.fromMemory({ modelTopology, weightSpecs: json.weightsManifest[0].weights, weightData }),
    );
    const { mean, deviation } = model.card.normalise;
    const unit = tf.div(tf.tensor4d([...dataset.test.images.slice(0, 3 * 3072)], [3, 32, 32, 3]), 255);
    const x = tf.div(tf.sub(unit, tf.tensor1d(mean)), tf.tensor1d(deviation));
    const actual = (await tf.logSoftmax(loaded.predict(x) as Tensor2D).data()) as Float32Array;
    expect(difference(actual, expected.subarray(0, 30))).toBeLessThan(tfjsTolerance);
  });

  it('that is foreign or damaged is rejected by its name', async () => {
    const refused = async (name: string, content: string | Uint8Array) => {
      await writeFile(join(directory, name), content);
      return expect(readModelFile(join(directory, name))).rejects;
    };
    await (await refused('foreign.json', '{"modelTopology":{}}')).toThrow(/got none; .*foreign\.json; export it again/);
    await (await refused('broken.json', '{"model')).toThrow(/expected JSON, got .*broken\.json/);
    await (
      await refused('broken.onnx', Uint8Array.of(255, 1, 2))
    ).toThrow(/expected an ONNX model, got .*broken\.onnx/);
    await (await refused('broken.safetensors', Uint8Array.of(1))).toThrow(/expected at least 8 bytes/);
    await (
      await refused('weights.h5', '')
    ).toThrow(/expected a run, model\.json, \.onnx or \.safetensors, got another file/);
    const [, json] = await modelFiles(model, 'tfjs');
    const short = (json!.content as string).replace('weights.bin', 'short.bin');
    await writeFile(join(directory, 'short.bin'), new Uint8Array(400));
    await (await refused('short.json', short)).toThrow(/expected \d+ values of conv1\/kernel, got 100; .*short\.json/);
  });

  it.each(['../weights.bin', '/etc/passwd', 'sub/weights.bin', '..', '', '.hidden', 'a\u0000b', '..\\weights.bin'])(
    'reads no weights outside its folder: %j',
    async (name) => {
      const path = await withWeights(`outside-${Buffer.from(name).toString('hex')}.json`, [name]);
      await expect(readModelFile(path)).rejects.toThrow(/expected a weightsManifest of one file, got 0\.paths\.0/);
    },
  );

  it('reads no weights through a symbolic link, and no more than one file of them', async () => {
    await symlink('/etc/passwd', join(directory, 'linked.bin'));
    await mkdir(join(directory, 'folder.bin'));
    const refused = async (paths: string[], message: RegExp) =>
      expect(readModelFile(await withWeights('link.json', paths))).rejects.toThrow(message);
    await refused(['linked.bin'], /expected a regular file linked\.bin in the same folder, got a symbolic link/);
    await refused(['folder.bin'], /expected a regular file folder\.bin in the same folder, got something else/);
    await refused(['absent.bin'], /expected a regular file absent\.bin in the same folder, got ENOENT/);
    await refused(['weights.bin', 'weights.bin'], /expected a weightsManifest of one file/);
  });
});

it('classify gives every image its own answer, in batches of any size', async () => {
  expect(difference(await answers(model, 7), expected)).toBeLessThan(tolerance);
});
