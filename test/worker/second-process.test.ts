import { describe, expect, it } from 'vitest';
import { decideProof } from '../../worker/second-process.js';

const info = { name: 'onnx', version: 'onnxruntime-node 1.30.0', device: 'cuda', lowering: 'portable', threads: 1 };
const bits = 'ab'.repeat(32);

describe('the proof of equal bits in two processes', () => {
  it('succeeds with equal fingerprints', () => {
    expect(decideProof(info, bits, { fingerprint: bits })).toBeUndefined();
  });

  it('fails with different ones, with advice', () => {
    expect(decideProof(info, bits, { fingerprint: 'cd'.repeat(32) })).toBe(
      'prove engine: expected equal bits on cuda (portable) in two processes, got fingerprints abababababab and ' +
        'cdcdcdcdcdcd; remove engine.name to compute on CPUs, or set numerics: mixed, which gives up equal bits',
    );
  });

  it('fails with a second process that does', () => {
    expect(decideProof(info, bits, { problem: 'it ended with SIGKILL' })).toContain(
      'in two processes, but the second one failed: it ended with SIGKILL',
    );
  });
});
