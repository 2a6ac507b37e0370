import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decode } from 'fast-png';
import { expect, it, vi } from 'vitest';
import { dataCommand, describe, explore } from '../../../cli/commands/data.js';
import { makeSynthetic } from '../../../data/synthetic.js';
import { temporaryDirectory } from '../../data/small-cifar10.js';
import { thorough } from '../../thorough.js';

it('prints an aligned table of classes against batches', () => {
  const dataset = makeSynthetic({ trainBatches: 2, imagesPerBatch: 100, testImages: 20 });
  const lines = describe(explore(dataset)).split('\n');
  expect(lines.slice(0, 6)).toEqual([
    'synthetic dataset (not CIFAR-10)',
    '200 training and 20 test images, 32 x 32 x 3',
    '',
    'images per class  data_batch_1  data_batch_2  test',
    'disc                        10            10     2',
    'ring                        10            10     2',
  ]);
  expect(lines[14]).toBe('all                        100           100    20');
  expect(lines[16]).toBe('training pixels, 0 to 1     red   green    blue');
});

// Draws all 60,000 synthetic images.
if (thorough) {
  it('writes a contact sheet and prints JSON', async () => {
    const sheet = join(await temporaryDirectory(), 'sheet.png');
    const log = vi.spyOn(console, 'log').mockReturnValue();
    await dataCommand().parseAsync(['info', '--synthetic', '--json', '--sheet', sheet], { from: 'user' });
    const facts = JSON.parse(log.mock.calls[0]![0] as string) as ReturnType<typeof explore>;
    log.mockRestore();
    expect(facts.parts.map(({ total }) => total)).toEqual([10_000, 10_000, 10_000, 10_000, 10_000, 10_000]);
    const { width, height } = decode(await readFile(sheet));
    expect([width, height]).toEqual([662, 662]);
  });
}
