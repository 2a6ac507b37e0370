import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { layerReference } from '../../../../engine/model/topology/reference.js';

const file = join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'reference', 'layers.md');

it('the page of layers is what the table says; else run: npm run layers', async () => {
  const expected = await format(layerReference(), { ...(await resolveConfig(file)), filepath: file });
  expect(readFileSync(file, 'utf8')).toBe(expected);
});
