import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** SHA-256 of everything that a model's programs return, computed by a separate process from the built engine. */
function digest(model: string, threads: number, isa?: string): string {
  const script = fileURLToPath(new URL('digest-run.mjs', import.meta.url));
  const args = [script, model, String(threads), ...(isa === undefined ? [] : [isa])];
  return execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 }).trim();
}

describe.each(['cnn3', 'cnn4', 'resnet20'])('%s gives the same bits', (model) => {
  const reference = digest(model, 1);

  it('in a second process', () => {
    expect(reference).toMatch(/^[0-9a-f]{64}$/);
    expect(digest(model, 1)).toBe(reference);
  });

  it('with 2, 3 and 8 threads', () => {
    for (const threads of [2, 3, 8]) expect(digest(model, threads), `${threads} threads`).toBe(reference);
  });

  it('in WebAssembly', () => {
    expect(digest(model, 1, 'wasm')).toBe(reference);
  });
});
