import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { pages, render } from '../../scripts/reference/pages.js';

it.each(Object.keys(pages))('docs/reference/%s is up to date; otherwise run: npm run reference', async (name) => {
  const { file, text } = await render(name);
  expect(readFileSync(file, 'utf8')).toBe(text);
});
