import { describe, expect, it } from 'vitest';
import { type Candidate, decideLayout } from '../../data/folder-layout.js';
import { roleOf } from '../../data/set-names.js';

const set = (name: string): Candidate => ({ name, hasFolders: true, hasImages: false });
const flat = (name: string): Candidate => ({ name, hasFolders: false, hasImages: true });

describe('the name of a folder', () => {
  it.each([
    ...[
      'train',
      'Train',
      'TRAINING',
      'training_set',
      'trainset',
      'TrainSet',
      'seg_train',
      'train_images',
      'train-1',
    ].map((name) => [name, 'train'] as const),
    ...['test', 'Test', 'testing', 'test_set', 'seg_test', 'test1', 'images-test', 'Testing Set'].map(
      (name) => [name, 'test'] as const,
    ),
    ...['val', 'valid', 'Validation', 'validation_set', 'validate'].map((name) => [name, 'validation'] as const),
    ...['trains', 'train station', 'invalid', 'contest', 'reset', 'dataset', 'images', 'value', 'testament', '1'].map(
      (name) => [name, undefined] as const,
    ),
  ])('%s tells the role %s', (name, role) => expect(roleOf(name)).toBe(role));
});

describe('the folders of an image folder', () => {
  it.each([
    [['train', 'test'], 'train', 'test', []],
    [['train', 'val'], 'train', 'val', []],
    [['Train', 'Test'], 'Train', 'Test', []],
    [['training', 'testing'], 'training', 'testing', []],
    [['train', 'validation'], 'train', 'validation', []],
    [['training_set', 'test_set'], 'training_set', 'test_set', []],
    [['seg_train', 'seg_test'], 'seg_train', 'seg_test', []],
    [['train', 'test1'], 'train', 'test1', []],
    [['train', 'valid', 'test'], 'train', 'test', [{ name: 'valid', reason: 'test/ is the test set' }]],
  ])('%j are sets: %s for training, %s for testing', (names, train, test, notUsed) => {
    expect(decideLayout(names.map(set))).toEqual({ kind: 'sets', train, test, notUsed });
  });

  it('next to sets that are not read are named with the reason', () => {
    expect(decideLayout([set('train'), set('val'), flat('test'), set('seg_pred')])).toEqual({
      kind: 'sets',
      train: 'train',
      test: 'val',
      notUsed: [
        { name: 'test', reason: 'without class folders' },
        { name: 'seg_pred', reason: 'neither a training nor a test set by its name' },
      ],
    });
  });

  it.each([
    [[flat('cat'), flat('dog')]],
    [[flat('car'), flat('train'), set('bus')]],
    [[flat('invalid'), flat('valid')]],
    [[set('cat'), set('dog')]],
  ])('%j are classes', (folders) => expect(decideLayout(folders)).toEqual({ kind: 'classes' }));

  it.each([
    [[flat('train'), flat('test')], 'train/ and test/, which look like sets without class folders', 'train/CLASS/'],
    [[set('train'), flat('test1')], 'without class folders in test1/', 'test1/CLASS/'],
    [[set('test'), set('val')], 'test/ and val/, which look like sets without one for training', 'add train/'],
    [[set('train'), set('other')], 'train/, which looks like a set without one for testing', 'add test/'],
    [[flat('cat'), flat('dog'), flat('test')], 'test/, which looks like a set without class', 'rename the folders'],
    [[set('train'), set('test'), set('test1')], 'several for testing', 'keep one of test/ and test1/ here'],
    [[set('train'), set('Training'), set('val')], 'several for training', 'keep one of train/ and Training/ here'],
  ])('%j are refused with their names and what to rename', (folders, found, advice) => {
    const layout = decideLayout(folders);
    expect(layout).toMatchObject({ kind: 'unclear' });
    if (layout.kind !== 'unclear') return;
    expect(layout.found).toContain(found);
    expect(layout.advice).toContain(advice);
    expect(layout.advice).toContain('or rename the folders if they are classes');
  });
});
