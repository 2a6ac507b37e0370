import { describe, expect, it } from 'vitest';
import { findWrongStates, type Sighting, shownStates } from '../state-oracle.js';

const job = (atMs: number, state: string, suspend = false): Sighting => ({
  ...{ atMs, type: 'job' },
  job: {
    apiVersion: 'lockstep.dev/v1alpha1',
    kind: 'TrainingJob',
    metadata: { name: 'j' },
    spec: { suspend },
    status: { state: state as 'Running', conditions: [] },
  },
});
const pod = (atMs: number, uid: string, phase: string, gone = false): Sighting => ({
  ...{ atMs, type: 'pod', gone },
  pod: { metadata: { uid, labels: { 'app.kubernetes.io/component': 'coordinator' } }, status: { phase } },
});
const says = (atMs: number, state: string): Sighting => ({ atMs, type: 'coordinator', state });

const start = [job(0, 'Pending'), pod(100, 'a', 'Pending'), pod(200, 'a', 'Running'), says(300, 'training')];

describe('the check of the State column', () => {
  it('accepts states that follow the cluster soon enough', () => {
    const quiet = [
      ...start,
      job(900, 'Running'),
      pod(2_000, 'a', 'Failed'),
      job(2_900, 'Restarting'),
      pod(3_000, 'b', 'Running'),
      says(3_100, 'training'),
      job(3_500, 'Running'),
      pod(9_000, 'b', 'Succeeded'),
      job(9_500, 'Succeeded'),
      job(20_000, 'Succeeded'),
    ];
    expect(findWrongStates(quiet, 1_000)).toEqual([]);
    expect(shownStates(quiet)).toEqual(['Pending', 'Running', 'Restarting', 'Running', 'Succeeded']);
  });

  it.each([
    ['Running after its coordinator has failed for long', [job(900, 'Running'), pod(2_000, 'a', 'Failed')], 'Running'],
    ['Suspended while its coordinator runs', [job(900, 'Suspended', true)], 'Suspended'],
    ['Running after it was suspended', [job(900, 'Running'), job(1_000, 'Running', true)], 'Running'],
    ['Succeeded before its coordinator has ended', [job(900, 'Succeeded')], 'Succeeded'],
    ['Pending while it trains', [], 'Pending'],
  ])('finds a job that is shown as %s', (_, then, shown) => {
    const end = says(5_000, 'training');
    expect(findWrongStates([...start, ...then, end], 1_000)).toContainEqual(expect.objectContaining({ shown }));
  });
});
