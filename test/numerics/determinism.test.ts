import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { probeNchwc } from '../../engine/onnx/probe.js';

/** The portable lowering promises equal bits for two threads only. */
const isBlocked = 'block' in (await probeNchwc(1));

/** SHA-256 of everything that a model's programs return, computed by a process of its own from the built engine. */
function digest(model: string, lowering: string, threads: number): string {
  const script = fileURLToPath(new URL('digest-run.mjs', import.meta.url));
  return execFileSync(process.execPath, [script, model, lowering, String(threads)], {
    encoding: 'utf8',
    timeout: 60_000,
  }).trim();
}

describe.each([
  ['cnn3', 'portable'],
  ['cnn4', 'portable'],
  ['cnn3', 'auto'],
  ['cnn4', 'auto'],
])('%s with lowering %s gives the same bits', (model, lowering) => {
  const reference = digest(model, lowering, 1);

  it('in a second process', () => {
    expect(reference).toMatch(/^[0-9a-f]{64}$/);
    expect(digest(model, lowering, 1)).toBe(reference);
  });

  it('with two threads', () => {
    expect(digest(model, lowering, 2)).toBe(reference);
  });

  it.runIf(lowering === 'auto' && isBlocked)('with 3, 5 and 8 threads', () => {
    for (const threads of [3, 5, 8]) expect(digest(model, lowering, threads), `${threads} threads`).toBe(reference);
  });
});
