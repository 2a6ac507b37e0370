import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../job/manifest.js';
import { smallManifest } from '../coordinator/manifest.js';

const manifest = smallManifest(7);

/** A manifest as Lockstep 0.5 wrote it. */
function earlier(engine: object): string {
  const full = { threads: 1, lowering: 'auto', device: 'auto', precision: 'float32', ...engine };
  return JSON.stringify({ ...manifest, arithmetic: undefined, spec: { ...manifest.spec, engine: full } });
}

describe('a manifest', () => {
  it('is read as it was written', () => {
    expect(parseManifest(JSON.stringify(manifest))).toEqual(manifest);
  });

  it.each([{}, { device: 'cpu' }, { lowering: 'nchwc', threads: 2 }])(
    'of Lockstep 0.5 on CPUs, with %j, is one of the native engine with arithmetic 0',
    (engine) => {
      const { arithmetic, spec } = parseManifest(earlier({ name: 'onnx', ...engine }));
      expect(arithmetic).toBe(0);
      expect(spec).toEqual(manifest.spec);
    },
  );

  it.each([
    { name: 'onnx', device: 'cuda', lowering: 'portable' },
    { name: 'onnx', device: 'webgpu' },
    { name: 'tensorflow', threads: 2 },
  ])('of Lockstep 0.5 keeps its engine %j', (engine) => {
    const { arithmetic, spec } = parseManifest(earlier(engine));
    expect(arithmetic).toBeNull();
    expect(spec.engine).toMatchObject(engine);
  });

  it('without a spec is refused', () => {
    expect(() => parseManifest('{}')).toThrow('read job manifest: expected a manifest of this version');
  });
});
