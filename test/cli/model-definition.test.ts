import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readModelDefinition } from '../../cli/model-definition.js';
import type { Dataset } from '../../job/data/dataset.js';

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
      'something else',
      '{"name": "x"}',
      'expected a TF.js or Keras 2 topology with class_name and config, got an object',
    ],
    ['a topology of Keras 3', JSON.stringify({ ...topology, registered_name: null }), "got Keras 3's; save it with"],
  ])('is refused when it is %s', async (_, text, message) => {
    await expect(read('.json', text)).rejects.toMatchObject({ code: 'BAD_MODEL' });
    await expect(read('.json', text)).rejects.toThrow(message);
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
    ['does not load', 'export default (', 'expected a module that loads, got its error'],
    [
      'exports no function',
      'export default 5',
      'expected a function as default export, got number; write export default',
    ],
    [
      'throws',
      "export default () => { throw new Error('no way') }",
      'expected a function that returns a model, got its error: no way',
    ],
    ['returns no model', 'export default () => 5', 'expected its function to return a tf.LayersModel, got number'],
  ])('is refused when it %s', async (_, text, message) => {
    await expect(read('.mjs', text)).rejects.toMatchObject({ code: 'BAD_MODEL' });
    await expect(read('.mjs', text)).rejects.toThrow(message);
  });
});
