import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance, nearest } from '../../util/hint.js';

describe('editDistance', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['same', 'same', 0],
    ['flaw', 'lawn', 2],
  ])('of %s and %s is %i', (a, b, edits) => {
    expect(editDistance(a, b)).toBe(edits);
    expect(editDistance(b, a)).toBe(edits);
  });
});

describe('nearest', () => {
  it('finds a misspelt word, and all that are equally near', () => {
    expect(nearest('epoch', ['epochs', 'seed'])).toEqual(['epochs']);
    expect(nearest('beta', ['beta1', 'beta2', 'epsilon'])).toEqual(['beta1', 'beta2']);
  });

  it('finds nothing where nothing is near', () => {
    expect(nearest('frobnicate', ['epochs', 'seed'])).toEqual([]);
    expect(didYouMean([])).toBe('');
  });
});
