import { describe, expect, it } from 'vitest';
import { decideEngine, decideEngineClass } from '../../../coordinator/membership/engine-class.js';
import type { EngineClass } from '../../../run/run-json.js';

const fingerprint = (digits: string) => digits.padEnd(64, '0');
const a: EngineClass = {
  name: 'onnx',
  version: 'ort 1.30.0',
  device: 'cpu',
  lowering: 'nchwc8',
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
      '2 of 3 ready workers compute with onnx (ort 1.30.0, cpu, nchwc8, 1 thread, fingerprint bb0000000000)',
    );
  });
});

describe('a worker with the engine class of the run', () => {
  const wanted = 'onnx (ort 1.30.0, cpu, nchwc8, 1 thread, fingerprint aa0000000000)';

  it('if everything that decides bits is equal', () => {
    expect(decideEngine(a, { ...a }, 'w1')).toBeUndefined();
  });

  it.each<[string, Partial<EngineClass>, string]>([
    ['engine', { name: 'tensorflow' }, wanted.replace('onnx', 'tensorflow')],
    ['version', { version: 'ort 1.29.0' }, wanted.replace('1.30.0', '1.29.0')],
    ['device', { device: 'cuda' }, wanted.replace('cpu', 'cuda')],
    ['lowering', { lowering: 'nchwc16' }, wanted.replace('nchwc8', 'nchwc16')],
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
