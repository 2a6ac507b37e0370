import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type * as ModelThread from '../../../cli/model/model-thread.js';
import { built } from '../../coordinator/built.js';
import { scratchDirectory } from '../../e2e/lockstep.js';
import { within } from '../../proto/wire.js';

const { readModel } = await built<typeof ModelThread>('cli/model/model-thread.js');

const scratch = scratchDirectory();
afterAll(scratch.remove);

const data = { imageShape: [2, 2, 1] as const, classes: ['a', 'b', 'c'] };
const make = 'export default ({ tf, imageShape, classes }) => ';

function module(name: string, text: string): string {
  const file = join(scratch.path, `${name}.mjs`);
  writeFileSync(file, text);
  return file;
}

describe('a model from a module, read in a thread', () => {
  it('has the topology that its function returns', async () => {
    const layers = '[tf.layers.flatten({ inputShape: imageShape }), tf.layers.dense({ units: classes })]';
    const topology = await readModel(module('good', `${make}tf.sequential({ layers: ${layers} });`), data);
    expect(topology).toMatchObject({ class_name: 'Sequential' });
    expect(JSON.stringify(topology)).toContain('"batch_input_shape":[null,2,2,1]');
    expect(JSON.stringify(topology)).toContain('"units":3');
  });

  it.each([
    ['loops for ever', 'for (;;);', 'none; does it loop, or wait for something?'],
    ['loops in its function', `${make}{ for (;;); };`, 'none; does it loop, or wait for something?'],
    ['waits for ever', 'await new Promise(() => setInterval(() => 0, 1000));', 'none; does it loop, or wait'],
  ])('is rejected when the module %s, after the limit', async (name, text, found) => {
    const file = module(name.replaceAll(' ', '-'), text);
    await expect(within(readModel(file, data, 1500), 'the limit', 15_000)).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringContaining(
        `model ${file}: expected a model from its module within 1.5 s, got ${found}`,
      ) as string,
    });
  });

  it.each([
    ['waits for nothing', 'await new Promise(() => 0);', /got a promise that never settles$/],
    ['ends the process', 'process.exit(0);', /got a call of process.exit; remove it$/],
    [
      'fails later',
      'setTimeout(() => { throw new Error("too late"); }, 1); await new Promise((r) => setTimeout(r, 9e4));',
      /got an error outside its function: too late$/,
    ],
    ['throws', 'throw new Error("no");', /: expected a module that loads, got an error: no$/],
  ])('is rejected at once when the module %s', async (name, text, message) => {
    const read = readModel(module(name.replaceAll(' ', '-'), text), data);
    await expect(within(read, 'the refusal', 20_000)).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(message) as string,
    });
  });
});
