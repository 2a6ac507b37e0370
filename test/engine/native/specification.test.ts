import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

it('docs/arithmetic.md has the constants of the functions in double', () => {
  const source = read('engine/native/reference/functions.ts');
  const document = read('docs/arithmetic.md');
  const constants = source
    .replaceAll(/\/\*\*[^]*?\*\/|\/\/.*/g, '')
    .match(/\b\d+\.\d{6,}(e-\d+)?|\b\d{12,}\b|0x(?!7fffffff)[\da-f]{8}\b/g)!;
  expect(constants.length).toBeGreaterThan(40);
  for (const constant of constants) expect(document).toContain(constant);
});
