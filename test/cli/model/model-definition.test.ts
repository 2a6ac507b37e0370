import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readModelDefinition } from '../../../cli/model/model-definition.js';
import type { Dataset } from '../../../data/dataset.js';

const scratch = mkdtempSync(join(tmpdir(), 'lockstep-test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const dataset = { imageShape: [8, 6, 3], classes: ['a', 'b', 'c', 'd'] } as unknown as Dataset;
const topology = { class_name: 'Sequential', config: { name: 'net', layers: [] } };
const complete = { ...topology, keras_version: '2.15.0', backend: 'tensorflow' };

let files = 0;
/** Reads a model from a new file with this text. */
function read(extension: string, text: string) {
  const file = join(scratch, `model-${files++}${extension}`);
  writeFileSync(file, text);
  return readModelDefinition(file, dataset);
}

describe('a model in a JSON file', () => {
  it.each<[string, object]>([
    ['as Keras 2 writes it', { ...topology, keras_version: '2.11.0' }],
    ['as TF.js saves it', { format: 'layers-model', modelTopology: topology, weightsManifest: [] }],
    ["as Keras's converter writes it", { modelTopology: { keras_version: '2.4.0', model_config: topology } }],
  ])('is its topology, %s', async (_, json) => {
    expect(await read('.json', JSON.stringify(json))).toEqual(complete);
  });

  it.each([
    ['no JSON', '{', /model-\d+\.json: expected JSON, got/],
    ['no object', '[]', 'expected a topology, got []'],
    [
      'no object, but very deep',
      `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
      'expected a topology, got a value of type',
    ],
    [
      'something else',
      '{"name": "x"}',
      'expected a TF.js or Keras 2 topology with class_name and config, got an object',
    ],
    ['a topology of Keras 3', JSON.stringify({ ...topology, registered_name: null }), "got Keras 3's; save it with"],
  ])('is refused when it is %s', async (_, text, message) => {
    await expect(read('.json', text)).rejects.toMatchObject({ code: 'BAD_MODEL' });
    await expect(read('.json', text)).rejects.toThrow(message);
  });

  it('is the same if Sequential’s configuration is an object or, in the older form, a list of layers', async () => {
    const layers = [{ class_name: 'Flatten', config: { name: 'flat', batch_input_shape: [null, 8, 6, 3] } }];
    const listed = {
      modelTopology: { keras_version: '2.1.4', model_config: { class_name: 'Sequential', config: layers } },
    };
    const object = { class_name: 'Sequential', config: { name: 'sequential', layers } };
    expect(await read('.json', JSON.stringify(listed))).toEqual(await read('.json', JSON.stringify(object)));
  });

  const keras3 = "expected Keras 2's format, got Keras 3's; save it with the package tf_keras";
  const graph = 'expected a layers model, got a graph model, which is frozen and cannot be trained; convert';
  const ofLayer = (layer: object) => ({ ...topology, config: { name: 'net', layers: [layer] } });
  it.each<[string, object, string]>([
    ['Keras 3, by its version', { modelTopology: { keras_version: '3.8.0', model_config: topology } }, keras3],
    ['Keras 3, by its author', { generatedBy: 'keras v3.8.0', modelTopology: topology }, keras3],
    ['Keras 3, by its shapes', ofLayer({ class_name: 'InputLayer', config: { batch_shape: [null, 8] } }), keras3],
    ['Keras 3, by its calls', ofLayer({ class_name: 'Add', config: {}, inbound_nodes: [{ args: [] }] }), keras3],
    [
      'Keras 3, by its number types',
      ofLayer({ class_name: 'Add', config: { dtype: { module: 'keras', class_name: 'DTypePolicy', config: {} } } }),
      keras3,
    ],
    ['a graph', { format: 'graph-model', modelTopology: { node: [], versions: {} } }, graph],
    ['a graph without a word about it', { node: [], library: {}, versions: { producer: 1 } }, graph],
  ])('is rejected when it is a model of %s', async (_, json, message) => {
    await expect(read('.json', JSON.stringify(json))).rejects.toMatchObject({ code: 'BAD_MODEL' });
    await expect(read('.json', JSON.stringify(json))).rejects.toThrow(message);
  });

  it('is refused when there is none, with the name of the file', async () => {
    await expect(readModelDefinition(join(scratch, 'absent.json'), dataset)).rejects.toThrow(
      /absent\.json: expected a readable/,
    );
  });
});

describe('a module', () => {
  it('is called with TF.js, the images’ shape and the number of classes; its model’s topology is taken', async () => {
    const made = await read(
      '.mjs',
      `export default async ({ tf, imageShape, classes }) => tf.sequential({ name: 'own', layers: [
         tf.layers.flatten({ name: 'flat', inputShape: imageShape }),
         tf.layers.dense({ name: 'logits', units: classes, activation: 'linear' }) ] });`,
    );
    const { name, layers } = made['config'] as { name: string; layers: { config: object }[] };
    expect([made['class_name'], name]).toEqual(['Sequential', 'own']);
    expect(layers.map(({ config }) => config)).toMatchObject([
      { name: 'flat', batch_input_shape: [null, 8, 6, 3] },
      { name: 'logits', units: 4 },
    ]);
  });

  it.each([
    ['does not load', 'export default (', 'expected a module that loads, got an error'],
    [
      'exports no function',
      'export default 5',
      'expected a function as default export, got number; write export default',
    ],
    [
      'throws',
      "export default () => { throw new Error('no way') }",
      'expected a function that returns a model, got an error: no way',
    ],
    [
      'returns no model',
      'export default () => 5',
      'expected a function that returns a tf.LayersModel, got one that returns number',
    ],
  ])('is rejected when it %s', async (_, text, message) => {
    await expect(read('.mjs', text)).rejects.toMatchObject({ code: 'BAD_MODEL' });
    await expect(read('.mjs', text)).rejects.toThrow(message);
  });

  const modelWith = (layer: string) => `export default ({ tf, imageShape, classes }) => tf.sequential({ layers: [
    tf.layers.inputLayer({ inputShape: imageShape }), ${layer},
    tf.layers.flatten(), tf.layers.dense({ name: 'logits', units: classes })] });`;

  it.each([
    [
      'an option that TF.js drops',
      "tf.layers.conv2d({ name: 'c', filters: 4, kernelSize: 3, groups: 2 })",
      'expected groups 1, got 2; layer "c" (Conv2D)',
    ],
    [
      'an unknown option',
      "tf.layers.conv2d({ name: 'c', filters: 4, kernelSize: 3, dilation: 2 })",
      'expected dilation to be absent, as it is not supported, got 2; layer "c" (Conv2D); remove it, or correct it to dilationRate',
    ],
    [
      'a setting that its topology loses',
      "tf.layers.separableConv2d({ name: 's', filters: 4, kernelSize: 3, depthMultiplier: 2 })",
      'expected depthMultiplier 1, as in its topology, got 2; layer "s" (SeparableConv2D)',
    ],
  ])('is rejected when it has %s', async (_, layer, message) => {
    await expect(read('.mjs', modelWith(layer))).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' });
    await expect(read('.mjs', modelWith(layer))).rejects.toThrow(message);
  });

  it('may use options of TF.js that become parts of the topology', async () => {
    const layers = `tf.layers.reshape({ targetShape: [8, 18] }), tf.layers.bidirectional({ layer: tf.layers.lstm({
      units: 2, recurrentInitializer: 'glorotUniform', returnSequences: true }) }), tf.layers.maxPooling1d({}), tf.layers.reLU()`;
    const made = await read('.mjs', modelWith(layers));
    expect((made['config'] as { layers: object[] }).layers.length).toBe(7);
  });
});
