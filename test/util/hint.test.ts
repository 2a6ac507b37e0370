import { describe, expect, it } from 'vitest';
import { didYouMean, nearest } from '../../util/hint.js';

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
