import { describe, expect, it } from 'vitest';
import { checkRoundTrip, type Model } from '../../../../engine/model/topology/round-trip.js';

type Fields = Readonly<Record<string, unknown>>;

const layer = (className: string, fields: Fields) => ({ name: 'layer', getClassName: () => className, ...fields });
const activation = (name: string) => ({ getClassName: () => name });
function model(fields: Fields, shape: (number | null)[] = [3, 2]): Model {
  const weights = [{ originalName: 'layer/kernel', shape }];
  return { ...layer('Sequential', { name: 'model' }), layers: [layer('Conv1D', fields)], weights };
}

describe('a model and its reloaded copy', () => {
  it.each<[string, Fields, Fields]>([
    ['ids and counters', { id: 1, _refCount: 2 }, { id: 7, _refCount: 1 }],
    ['nothing and null', { maxValue: undefined }, { maxValue: null }],
    ['settings that only one copy of TF.js has', { older: 1 }, { newer: 2 }],
    ['tensors', { kernel: { shape: [1] } }, { kernel: { shape: [2] } }],
  ])('may differ in %s', (_, own, reloaded) => {
    expect(() => checkRoundTrip(model(own), model(reloaded))).not.toThrow();
  });

  it.each<[string, Fields, Fields, string]>([
    ['a word', { dataFormat: 'channelsFirst' }, { dataFormat: 'channelsLast' }, 'expected dataFormat "channelsLast", as'],
    ['a list', { dilationRate: [2] }, { dilationRate: [1] }, 'expected dilationRate [1], as in its topology, got [2]'],
    ['an activation', { activation: activation('relu') }, { activation: activation('linear') }, 'expected activation "linear"'],
    ['a layer inside', { cell: layer('GRUCell', { units: 2 }) }, { cell: layer('GRUCell', { units: 3 }) }, 'layer "layer/layer" (GRUCell)'],
  ])('may not differ in %s', (_, own, reloaded, message) => {
    expect(() => checkRoundTrip(model(own), model(reloaded))).toThrow(message);
  }); // prettier-ignore

  it('must have the same weights', () => {
    expect(() => checkRoundTrip(model({}), model({}, [3, 4]))).toThrow(
      'expected weight layer/kernel [3,4], as in its topology, got [3,2]; layer "model" (Sequential)',
    );
    expect(() => checkRoundTrip(model({}), { ...model({}), weights: [] })).toThrow('weight layer/kernel to be absent');
    expect(() => checkRoundTrip({ ...model({}), weights: [] }, model({}))).toThrow(
      'weight layer/kernel [3,2], got nothing',
    );
  });
});
