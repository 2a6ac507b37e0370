import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
// @ts-expect-error A script in JavaScript, without types.
import { sourceHash } from '../../scripts/native/prebuilt.mjs';

it('has prebuilt kernels of these sources (otherwise: npm run native)', () => {
  const manifest = JSON.parse(readFileSync('engine/native/prebuilt/manifest.json', 'utf8')) as { sources: string };
  expect(manifest.sources).toBe((sourceHash as () => string)());
});
