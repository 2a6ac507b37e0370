import { describe, expect, it } from 'vitest';
import type { ModelTopology } from '../../../../engine/engine.js';
import { inCallOrder } from '../../../../engine/model/topology/call-order.js';
import { readTopology } from '../../../../engine/model/topology/read.js';
import { layerIn } from '../../../../engine/model/topology/walk.js';
import { loadBlankModel } from '../../../../engine/model/model.js';
import { type LayerJson, norm } from '../../topologies.js';

type Calls = readonly unknown[];

const input = {
  class_name: 'InputLayer',
  config: { name: 'in', batch_input_shape: [null, 4] },
  name: 'in',
  inbound_nodes: [],
};
const dense = (name: string, calls: Calls) => called({ class_name: 'Dense', config: { name, units: 4 } }, calls);
const add = (calls: Calls) => called({ class_name: 'Add', config: { name: 'add' } }, calls);

function called(layer: LayerJson, calls: Calls) {
  return { ...layer, name: layer.config['name'], inbound_nodes: calls };
}

/** A functional model from `in` to the last of the layers. */
function model(layers: readonly object[], changes: object = {}): ModelTopology {
  const { name } = layers.at(-1) as { name: string };
  const ends = { input_layers: [['in', 0, 0]], output_layers: [[name, 0, 0]] };
  return { class_name: 'Functional', config: { name: 'model', layers: [input, ...layers], ...ends, ...changes } };
}

const refused = (topology: ModelTopology) => expect(() => readTopology(topology));
const from = (name: string, call = 0, ...rest: unknown[]) => [name, call, 0, ...rest];

describe('an argument of a call', () => {
  it.each([[undefined], [null], [{}], [{ training: null }]])('may be %j', (given) => {
    const call = given === undefined ? from('in') : from('in', 0, given);
    expect(() => readTopology(model([dense('a', [[call]])]))).not.toThrow();
  });

  it.each([
    [
      { training: false },
      'training to be absent, got false; layer "norm" (BatchNormalization); call it without training',
    ],
    [{ training: true }, 'training to be absent, got true'],
    [{ training: 0 }, 'training to be absent, got 0'],
    [{ mask: null }, 'mask to be absent, got null'],
    [{ mask: [true] }, 'mask to be absent, got [true]'],
    [{ initial_state: null }, 'initial_state to be absent, got null'],
    [{ y: ['in', 0, 0] }, 'y to be absent, got ["in",0,0]'],
    ['training', 'expected inbound_nodes lists of [layer, call, output], got "training"'],
  ])('is refused when it is %j', (given, message) => {
    refused(model([called(norm, [[from('in', 0, given)]])])).toThrow(message);
  });

  it('is refused in calls of models', () => {
    const base = {
      class_name: 'Sequential',
      config: { name: 'base', layers: [{ class_name: 'Dense', config: { name: 'd', units: 4 } }] },
    };
    refused(model([called(base, [[from('in', 0, { training: false })]])], { output_layers: [['base', 1, 0]] })).toThrow(
      'training to be absent, got false; layer "base" (Sequential)',
    );
  });
});

describe('a call', () => {
  it('may be written as a list of inputs or as its one input', () => {
    const nested = readTopology(model([dense('a', [[from('in', 0, {})]])]));
    expect(readTopology(model([dense('a', [from('in', 0, {})])]))).toEqual(nested);
    expect(readTopology(model([dense('a', [[from('in', 0, {})]])], { input_layers: from('in') }))).toEqual(nested);
  });

  it.each([
    [
      'of a layer that is not there',
      from('out'),
      'expected inbound_nodes the name of a layer of this model, got "out"',
    ],
    ['of a call that is not there', from('in', 1), 'expected inbound_nodes 0 as the call of in, got 1'],
    ['of an output that is not there', ['in', 0, 1], 'expected inbound_nodes 0 as the output of in, got 1'],
    [
      'of a constant',
      ['_CONSTANT_VALUE', -1, 2, {}],
      'expected inbound_nodes the outputs of layers, without constants',
    ],
    ['without an output', ['in', 0], 'expected inbound_nodes lists of [layer, call, output]'],
  ])('with the output %s is refused', (_, reference, message) => {
    refused(model([dense('a', [[reference]])])).toThrow(`${message}`);
    refused(model([dense('a', [[reference]])])).toThrow('layer "a" (Dense)');
  });

  it('to itself is rejected, where TF.js would never end', () => {
    const circle = [dense('a', [[from('b')]]), dense('b', [[from('a')]])];
    refused(model(circle)).toThrow('expected inbound_nodes inputs that do not depend on it');
  });

  it("must exist, as must the model's inputs and outputs", () => {
    refused(model([dense('a', [])])).toThrow('expected inbound_nodes a list of calls, got []; layer "a" (Dense)');
    const ends = { output_layers: [['b', 0, 0]] };
    refused(model([dense('a', [[from('in')]])], ends)).toThrow(
      'expected output_layers the name of a layer of this model',
    );
    const called = { output_layers: [['a', 0, 0, { training: true }]] };
    refused(model([dense('a', [[from('in')]])], called)).toThrow(
      'expected output_layers lists of [layer, call, output], got ["a",0,0,{"training":true}]',
    );
  });

  it('of a layer under another name than its configuration’s is refused', () => {
    refused(model([{ ...dense('a', [[from('in')]]), name: 'b' }])).toThrow('expected name as in config, got "b"');
  });
});

describe('a layer that is called twice', () => {
  const twice = (layer: LayerJson) => {
    const name = layer.config['name'] as string;
    return model([called(layer, [[from('in')], [from(name)]]), add([[from(name), from(name, 1)]])]);
  };

  it('is accepted without running statistics, and refused with them', () => {
    expect(() => readTopology(twice({ class_name: 'Dense', config: { name: 'd', units: 4 } }))).not.toThrow();
    refused(twice(norm)).toThrow('expected calls to be one, as it has running statistics, got 2; layer "norm"');
  });

  it('is refused when it is in a model that is called twice', () => {
    const base = { class_name: 'Sequential', config: { name: 'base', layers: [norm] } };
    const layers = [called(base, [[from('in')], [from('base', 1)]]), add([[from('base', 1), from('base', 2)]])];
    refused(model(layers)).toThrow('got 2; layer "base/norm" (BatchNormalization)');
  });

  // The shared layer precedes one that its first call needs, so TF.js would do its second call first.
  const shared = dense('shared', [[from('first')], [from('in')]]);
  const first = dense('first', [[from('in')]]);
  const sum = add([[from('shared'), from('shared', 1)]]);

  it('is called in the order of its calls', async () => {
    const ordered = inCallOrder([input, shared, first, sum].map((entry) => layerIn(entry, '')!));
    expect(ordered.map(({ name }) => name)).toEqual(['in', 'first', 'shared', 'add']);
    const loaded = await loadBlankModel(model([shared, first, sum]));
    const [one, two] = loaded.getLayer('shared').inboundNodes;
    expect([one, two].map((node) => node!.inboundLayers[0]!.name)).toEqual(['first', 'in']);
    loaded.dispose();
  });

  it('is rejected when there is no such order', () => {
    const [a, b] = [
      dense('a', [[from('in')], [from('b', 1)], [from('in')]]),
      dense('b', [[from('in')], [from('a', 2)]]),
    ];
    refused(model([a, b, add([[from('a', 1), from('b')]])])).toThrow(
      'expected inbound_nodes calls that can be made in the listed order',
    );
  });
});
