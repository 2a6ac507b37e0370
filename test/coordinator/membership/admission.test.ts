import { describe, expect, it } from 'vitest';
import type { EngineClass } from '../../../run/run-json.js';
import { EngineAdmission } from '../../../coordinator/membership/admission.js';
import type { RunEngine } from '../../../run/run-json.js';

const engine = (digits: string): EngineClass => ({
  name: 'raw',
  version: 'raw 1',
  device: 'cpu',
  lowering: 'none',
  threads: 1,
  fingerprint: digits.repeat(32),
});
const [a, b] = [engine('aa'), engine('bb')];
const everybody = () => true;

/** An admission, and what it has recorded. */
function admission(numerics: 'strict' | 'mixed', fixed?: RunEngine) {
  const recorded: RunEngine[] = [];
  const record = (run: RunEngine) => {
    recorded.push(run);
    return Promise.resolve();
  };
  return { admission: new EngineAdmission({ numerics, fixed, record }), recorded };
}

describe('strict admission', () => {
  it('records the engine class of the majority once, and lists whom to reject', async () => {
    const { admission: strict, recorded } = admission('strict');
    strict.admit('odd', b);
    strict.admit('w1', a);
    strict.admit('w2', a);
    expect(recorded).toEqual([]);
    const others = await strict.fixClass(everybody);
    expect([...others.keys()]).toEqual(['odd']);
    expect(others.get('odd')?.code).toBe('OTHER_ENGINE');
    expect(recorded).toEqual([{ engine: a, reproducible: true, targets: [] }]);
    expect((await strict.fixClass(everybody)).size).toBe(0);
    expect(recorded).toHaveLength(1);
  });

  it('counts connected workers only, as of their last Ready', async () => {
    const { admission: strict } = admission('strict');
    strict.admit('first', b);
    strict.admit('gone', b);
    strict.admit('w1', a);
    strict.admit('first', b);
    await strict.fixClass((workerId) => workerId !== 'gone');
    expect(strict.run?.engine).toEqual(a);
  });

  it('does not fix a class without workers', async () => {
    const { admission: strict, recorded } = admission('strict');
    strict.admit('gone', b);
    expect((await strict.fixClass(() => false)).size).toBe(0);
    expect([strict.run, recorded]).toEqual([undefined, []]);
  });

  it('keeps the class of a resumed run, even against a majority', async () => {
    const { admission: strict, recorded } = admission('strict', { engine: a, reproducible: true, targets: [] });
    for (const workerId of ['w1', 'w2']) {
      expect(() => strict.admit(workerId, b)).toThrow(expect.objectContaining({ code: 'OTHER_ENGINE' }) as Error);
    }
    strict.admit('w3', a);
    expect((await strict.fixClass(everybody)).size).toBe(0);
    expect(strict.run?.engine).toEqual(a);
    expect(recorded).toEqual([]);
  });
});

describe('instruction sets', () => {
  it('are recorded once each, with the class and whenever another one joins', async () => {
    const { admission: strict, recorded } = admission('strict');
    strict.admit('w1', a);
    await strict.noteTarget('avx512 (fastest)');
    await strict.fixClass(everybody);
    await strict.noteTarget('avx512 (fastest)');
    await strict.noteTarget('wasm (--isa)');
    expect(recorded.map(({ targets }) => targets)).toEqual([
      ['avx512 (fastest)'],
      ['avx512 (fastest)', 'wasm (--isa)'],
    ]);
  });

  it('of a resumed run are kept, and limited in number', async () => {
    const { admission: strict } = admission('strict', { engine: a, reproducible: true, targets: ['neon'] });
    for (let i = 0; i < 40; i++) await strict.noteTarget(`set ${i}`);
    expect(strict.run?.targets).toHaveLength(16);
    expect(strict.run?.targets[0]).toBe('neon');
  });
});

describe('admission with mixed numerics', () => {
  it('admits all workers, and marks a run that begins with several classes', async () => {
    const { admission: mixed, recorded } = admission('mixed');
    mixed.admit('w1', a);
    mixed.admit('w2', b);
    expect((await mixed.fixClass(everybody)).size).toBe(0);
    expect(recorded).toEqual([{ engine: a, reproducible: false, targets: [] }]);
  });

  it("requires the run's mark before the first worker of another class computes, and only once", async () => {
    const { admission: mixed, recorded } = admission('mixed');
    mixed.admit('w1', a);
    await mixed.fixClass(everybody);
    expect(mixed.admit('w2', a)).toBe(true);
    expect(recorded).toEqual([{ engine: a, reproducible: true, targets: [] }]);
    expect(mixed.admit('w3', b)).toBe(false);
    await mixed.markMixed();
    expect(recorded.slice(1)).toEqual([{ engine: a, reproducible: false, targets: [] }]);
    expect(mixed.admit('w4', b)).toBe(true);
    expect(mixed.run?.reproducible).toBe(false);
  });

  it("admits no worker whose mark can't be stored", async () => {
    const fixed = { engine: a, reproducible: true, targets: [] };
    const mixed = new EngineAdmission({
      numerics: 'mixed',
      fixed,
      record: () => Promise.reject(new Error('disk full')),
    });
    await expect(mixed.markMixed()).rejects.toThrow('disk full');
    expect(mixed.admit('w1', b)).toBe(false);
  });

  it('keeps the mark of a resumed run', () => {
    const { admission: mixed } = admission('strict', { engine: a, reproducible: false, targets: [] });
    mixed.admit('w1', a);
    expect(mixed.run?.reproducible).toBe(false);
  });
});
