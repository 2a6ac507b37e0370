import { describe, expect, it } from 'vitest';
import { decideClaim, decideConflict, EntryWatch } from '../../nats/lease-decisions.js';
import type { RegistryEntry } from '../../nats/payloads.js';
import { decideRun } from '../../nats/restore.js';

function entry(fields: Partial<RegistryEntry> = {}): RegistryEntry {
  return {
    ...{ v: 1, job: 'small', runId: 'run-1', owner: 'there-1', term: 1, state: 'training', reason: 'on its way' },
    ...{
      step: 7,
      totalSteps: 84,
      epoch: 1,
      epochs: 4,
      loss: 2,
      accuracy: null,
      digest: null,
      address: '10.0.0.1:50061',
    },
    ...{ updatedAt: '2026-01-01T00:00:00.000Z' },
    ...fields,
  };
}
const silent = {
  ...{ entry: entry(), owner: 'here-1', changed: false, unchangedMs: 0 },
  ...{ forged: false, mayReplace: false },
};
const claim = (fields: Partial<Parameters<typeof decideClaim>[0]>) => decideClaim({ ...silent, ...fields }).action;

describe('the owner of a job', () => {
  it.each([
    ['nobody has it', { entry: undefined }, 'create'],
    ['its owner has just been seen for the first time', {}, 'wait'],
    ['its owner has been silent, but not for long enough', { unchangedMs: 9_999 }, 'wait'],
    ['its owner has been silent for the whole lease', { unchangedMs: 10_000 }, 'take'],
    ['its owner has renewed it', { changed: true }, 'refuse'],
    ['its owner had renewed it and fell silent', { changed: true, unchangedMs: 60_000 }, 'refuse'],
    ['its owner is done', { entry: entry({ state: 'finished' }), changed: true }, 'take'],
    ['its owner was stopped', { entry: entry({ state: 'stopped' }) }, 'take'],
    ['its owner is storing the last files', { entry: entry({ state: 'reporting' }) }, 'wait'],
    ['it is not signed, and the directory is empty', { entry: undefined, forged: true }, 'refuse-forged'],
    ['it is not signed, and there is nothing to lose', { entry: undefined, forged: true, mayReplace: true }, 'take'],
    ['it is ours, as an answer was lost', { entry: entry({ owner: 'here-1' }) }, 'take'],
  ] as const)('%s', (_, fields, action) => expect(claim(fields)).toBe(action));

  it('is reported with its name and progress', () => {
    const { reason } = decideClaim({ ...silent, changed: true });
    expect(reason).toBe('there-1 (training, step 7 of 84, 10.0.0.1:50061) owns it');
  });
});

describe('an owner whose renewal finds another revision', () => {
  it.each([
    ['goes on when the change was its own', 'here-1', false, 'adopt'],
    ['has lost the job when another one is the owner', 'there-1', true, 'lost'],
    ['goes on when the other one does not answer, as its entry may be an old one', 'there-1', false, 'adopt'],
  ] as const)('%s', (_, owner, answers, decision) =>
    expect(decideConflict(entry({ owner }), 'here-1', answers)).toBe(decision),
  );

  it('writes the entry again when NATS has lost it, or when the present one is not signed', () =>
    expect(decideConflict(undefined, 'here-1', false)).toBe('create'));
});

describe('watching an entry', () => {
  it('counts the time without a change, and only while it watches', () => {
    const watch = new EntryWatch();
    expect(watch.observe(5, 1_000)).toEqual({ changed: false, unchangedMs: 0 });
    expect(watch.observe(5, 2_500)).toEqual({ changed: false, unchangedMs: 1_500 });
    expect(watch.observe(5, 9_000)).toEqual({ changed: false, unchangedMs: 0 });
    expect(watch.observe(5, 11_000)).toEqual({ changed: false, unchangedMs: 2_000 });
    expect(watch.observe(6, 11_500)).toEqual({ changed: true, unchangedMs: 0 });
    expect(watch.observe(6, 12_000)).toEqual({ changed: true, unchangedMs: 500 });
  });

  it('notices a new entry', () => {
    const watch = new EntryWatch();
    watch.observe(0, 0);
    expect(watch.observe(1, 500)).toEqual({ changed: true, unchangedMs: 0 });
  });
});

describe('the run that a coordinator resumes', () => {
  it.each([
    ['the one in its directory', { runId: 'local', isFinished: false }, entry(), { runId: 'local', restore: false }],
    [
      'the one in its directory, which had no name yet',
      { runId: undefined, isFinished: false },
      entry(),
      { runId: 'new', restore: false },
    ],
    ['that of the registry, with an empty directory', undefined, entry(), { runId: 'run-1', restore: true }],
    ['that of the registry, which failed', undefined, entry({ state: 'failed' }), { runId: 'run-1', restore: true }],
    [
      'a new one, after one that is finished',
      undefined,
      entry({ state: 'finished' }),
      { runId: 'new', restore: false },
    ],
    ['a new one, where there was none', undefined, undefined, { runId: 'new', restore: false }],
  ] as const)('%s', (_, local, before, decision) => expect(decideRun(local, before, 'new')).toEqual(decision));
});
