import { describe, expect, it } from 'vitest';
import {
  checkArithmetic,
  decideEngine,
  decideEngineClass,
  describeTarget,
  engineClassOf,
} from '../../../coordinator/membership/engine-class.js';
import type { Ready } from '../../../proto/messages.js';
import type { EngineClass } from '../../../run/run-json.js';
import { smallManifest } from '../manifest.js';

const fingerprint = (digits: string) => digits.padEnd(64, '0');
const a: EngineClass = {
  name: 'onnx',
  version: 'ort 1.30.0',
  device: 'cpu',
  lowering: 'im2col',
  threads: 1,
  fingerprint: fingerprint('aa'),
};
const b: EngineClass = { ...a, fingerprint: fingerprint('bb') };
const c: EngineClass = { ...a, lowering: 'portable' };

describe('the engine class of a run', () => {
  it.each<[string, EngineClass[], EngineClass]>([
    ['the only one there is', [a], a],
    ['that of most workers', [a, b, b], b],
    ['that of most workers, though the odd one was first and last', [b, a, a, c, a, b], a],
    ['the first of two that are as many', [b, a, a, b], b],
    ['the first of three', [c, b, a], c],
  ])('is %s', (_, ready, chosen) => {
    expect(decideEngineClass(ready)?.engine).toBe(chosen);
  });

  it('is not decided without workers', () => {
    expect(decideEngineClass([])).toBeUndefined();
  });

  it('comes with the number of workers that have it', () => {
    expect(decideEngineClass([a, b, { ...b }])?.reason).toBe(
      '2 of 3 ready workers compute with onnx (ort 1.30.0, cpu, im2col, 1 thread, fingerprint bb0000000000)',
    );
  });
});

describe('a worker with the engine class of the run', () => {
  const wanted = 'onnx (ort 1.30.0, cpu, im2col, 1 thread, fingerprint aa0000000000)';

  it('if everything that decides bits is equal', () => {
    expect(decideEngine(a, { ...a }, 'w1')).toBeUndefined();
  });

  it.each<[string, Partial<EngineClass>, string]>([
    ['engine', { name: 'tensorflow' }, wanted.replace('onnx', 'tensorflow')],
    ['version', { version: 'ort 1.29.0' }, wanted.replace('1.30.0', '1.29.0')],
    ['device', { device: 'cuda' }, wanted.replace('cpu', 'cuda')],
    ['lowering', { lowering: 'portable' }, wanted.replace('im2col', 'portable')],
    ['threads', { threads: 2 }, wanted.replace('1 thread', '2 threads')],
    ['fingerprint', { fingerprint: fingerprint('9c') }, wanted.replace('aa', '9c')],
    ['fingerprint, in its last digit only,', { fingerprint: `aa${'0'.repeat(61)}1` }, wanted],
  ])('unless its %s differs; both are then named', (_, change, found) => {
    expect(decideEngine(a, { ...a, ...change }, 'w1')).toBe(
      `join: expected engine ${wanted}, which the run is bound to, got ${found} from worker w1; ` +
        'run one kind of machine and one Lockstep version, or set numerics: mixed, which gives up equal bits',
    );
  });
});

describe('workers of the native engine', () => {
  const ready: Ready = {
    ...{ engine: 'native', engineVersion: 'arithmetic 1', device: 'cpu', lowering: 'kernel plan', threads: 1 },
    ...{ compileMs: 1, fingerprint: fingerprint('aa'), arithmetic: 1, cores: 2 },
    ...{ target: 'avx512', targetReason: 'the fastest of this processor' },
  };
  const native = engineClassOf(ready);

  it.each<[string, Partial<Ready>]>([
    ['instruction sets', { target: 'wasm', targetReason: '--isa' }],
    ['numbers of threads', { threads: 8 }],
    ['numbers of cores', { cores: 64 }],
    ['devices', { device: 'cuda' }],
  ])('belong to one class despite different %s', (_, change) => {
    expect(decideEngine(native, engineClassOf({ ...ready, ...change }), 'w1')).toBeUndefined();
  });

  it('are refused for other bits, as faulty', () => {
    const other = engineClassOf({ ...ready, fingerprint: fingerprint('9c') });
    expect(decideEngine(native, other, 'w1')).toBe(
      'join: expected engine native (arithmetic 1, fingerprint aa0000000000), which the run is bound to, ' +
        'got native (arithmetic 1, fingerprint 9c0000000000) from worker w1; the same arithmetic must give the same ' +
        'bits, so one machine is faulty: start that worker with another --isa, or set numerics: mixed, which gives up equal bits',
    );
  });

  it.each([
    [1, 2, 'expected arithmetic 1, which the job is bound to, got arithmetic 2 from worker w1'],
    [1, 0, 'expected arithmetic 1, which the job is bound to, got the arithmetic of another library from worker w1'],
    [null, 1, 'expected the arithmetic of another library, which the job is bound to, got arithmetic 1 from worker w1'],
  ])('need the arithmetic of the job: %s, not %i', (arithmetic, found, message) => {
    const manifest = { ...smallManifest(1), arithmetic };
    expect(() => checkArithmetic({ ...ready, arithmetic: found }, manifest, 'w1')).toThrow(message);
    expect(() => checkArithmetic({ ...ready, arithmetic: arithmetic ?? 0 }, manifest, 'w1')).not.toThrow();
  });

  it('name their instruction set and its reason', () => {
    expect(describeTarget(ready)).toBe('avx512 (the fastest of this processor)');
    expect(describeTarget({ ...ready, targetReason: '' })).toBe('avx512');
    expect(describeTarget({ ...ready, target: '' })).toBeUndefined();
  });
});
