import { describe, expect, it } from 'vitest';
import { chooseIsa, chooseTarget } from '../../../engine/native/load/choose.js';

const host = (name: string) => {
  const [platform, arch] = name.split('-') as [string, string];
  return { platform, arch };
};

describe('chooseTarget', () => {
  it.each([
    ['linux-x64', undefined, 'linux-x64.node', undefined, ''],
    ['linux-x64', 'avx2', 'linux-x64.node', 'avx2', 'requested'],
    ['linux-arm64', undefined, 'linux-arm64.node', undefined, ''],
    ['darwin-arm64', 'neon', 'darwin-arm64.node', 'neon', 'requested'],
    ['win32-x64', undefined, 'win32-x64.node', undefined, ''],
    ['linux-x64', 'wasm', 'lockstep.wasm', 'wasm', 'requested'],
    ['darwin-x64', undefined, 'lockstep.wasm', 'wasm', 'no native build for darwin-x64'],
    ['freebsd-riscv64', 'wasm', 'lockstep.wasm', 'wasm', 'requested'],
  ] as const)('on %s, %s requested, loads %s', (name, requested, target, isa, reason) => {
    expect(chooseTarget(host(name), requested)).toEqual({ target, isa, reason });
  });

  it.each([
    ['linux-arm64', 'avx2', 'expected neon or wasm on linux-arm64, got avx2'],
    ['darwin-x64', 'avx512', 'expected wasm on darwin-x64, got avx512'],
  ] as const)('refuses on %s what has no build there: %s', (name, requested, message) => {
    expect(() => chooseTarget(host(name), requested)).toThrow(message);
  });
});

describe('chooseIsa', () => {
  const both = (avx512: string, avx2: string) => [
    { name: 'avx512', missing: avx512 },
    { name: 'avx2', missing: avx2 },
  ];

  it('takes the fastest', () => {
    expect(chooseIsa(both('', ''), undefined)).toEqual({ isa: 'avx512', reason: 'the fastest of this CPU' });
  });

  it('names what keeps it from a faster one', () => {
    expect(chooseIsa(both('AVX512F', ''), undefined)).toEqual({
      isa: 'avx2',
      reason: 'avx512: the CPU lacks AVX512F',
    });
  });

  it('takes the requested one', () => {
    expect(chooseIsa(both('', ''), 'avx2')).toEqual({ isa: 'avx2', reason: 'requested' });
  });

  it('names what a CPU lacks for all', () => {
    const missing = 'avx512: the CPU lacks FMA (fused multiply-add), avx2: the CPU lacks FMA (fused multiply-add)';
    const lacks = 'FMA (fused multiply-add)';
    expect(chooseIsa(both(lacks, lacks), undefined)).toEqual({ missing });
  });
});
