import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { describeResult, writeResultFile } from '../../../cli/runs/result-file.js';
import { attemptsOf } from '../../../operator/plan/attempts.js';
import type { RunResult } from '../../../coordinator/persistence/results.js';
import { coordinatorPod, exited, makeJob } from '../../operator/objects.js';

const directory = mkdtempSync(join(tmpdir(), 'lockstep-result-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const input = {
  ...{ outcome: 'finished', stepsPerEpoch: 6, finalDigest: 'ab'.repeat(32) },
  engine: { device: 'cpu', fingerprint: 'ef'.repeat(32) },
  steps: Array.from({ length: 12 }, (_, step) => ({ step, loss: step < 2 ? 100 : 0.5 })),
  evaluations: [{ epoch: 2, correct: 3, total: 4 }],
} as unknown as RunResult['input'];

describe('the result file', () => {
  it('records how the run ended, with the mean loss of the last 10 steps, as the operator reads it', () => {
    const file = join(directory, 'result.json');
    writeResultFile(file, { input });
    const text = readFileSync(file, 'utf8');
    const said = {
      ...{ outcome: 'finished', step: 12, epoch: 2, digest: 'ab'.repeat(32), loss: 0.5, accuracy: 0.75 },
      ...{ fingerprint: 'ef'.repeat(32), device: 'cpu' },
    };
    expect(JSON.parse(text)).toEqual(said);
    const pod = coordinatorPod(makeJob(), 1, exited(0, { message: text }));
    expect(attemptsOf([pod])[0]?.end).toEqual({ type: 'succeeded', finalResult: said });
  });

  it("fails no run when it can't be written", () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    writeResultFile(join(directory, 'nowhere', 'result.json'), { input });
    expect(told.mock.calls[0]?.[0]).toContain('result.json: expected a writable file, got ENOENT');
    told.mockRestore();
  });

  it('leaves out missing values', () => {
    expect(describeResult({ input: { ...input, steps: [], evaluations: [] } })).not.toHaveProperty('loss');
  });
});
