import { constantData, splatOf } from './graph.js';
import type { Node } from './node.js';
import { postOrder } from './post-order.js';

/** Range of a node's values over all inputs and weights of the program; infinite if unbounded. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

const anything: Bounds = { low: -Infinity, high: Infinity };
const unit: Bounds = { low: 0, high: 1 };
const around: Bounds = { low: -1, high: 1 };

/** Bounds of `node` and every node that it needs, by interval arithmetic, which treats operands as independent. */
export function boundsOf(node: Node): ReadonlyMap<Node, Bounds> {
  const bounds = new Map<Node, Bounds>();
  for (const each of postOrder([node]))
    bounds.set(
      each,
      computed(each, (input) => bounds.get(input)!),
    );
  return bounds;
}

function computed(node: Node, of: (input: Node) => Bounds): Bounds {
  switch (node.op) {
    case 'constant':
      return boundsOfConstant(node);
    case 'sigmoid':
    case 'softmax':
    case 'step':
      return unit;
    case 'tanh':
    case 'sin':
    case 'cos':
    case 'erf':
    case 'sign':
    case 'side':
      return around;
    case 'elu':
      return { low: -1, high: Math.max(0, of(node.inputs[0]).high) };
    case 'exp':
    case 'softplus':
    case 'sqrt':
    case 'spread':
      return { low: 0, high: Infinity };
    case 'abs':
      return positive(of(node.inputs[0]));
    case 'relu':
      return extremes(of(node.inputs[0]), { low: 0, high: 0 }, Math.max);
    case 'reshape':
    case 'broadcast':
    case 'transpose':
    case 'tile':
    case 'slice':
    case 'reverse':
    case 'gather':
    case 'maxPool':
    case 'avgPool':
    case 'max':
    case 'min':
      return of(node.inputs[0]);
    case 'concat':
      return hull(node.inputs.map(of));
    case 'select':
      return hull(node.inputs.slice(1).map(of));
    case 'pad':
      return hull([of(node.inputs[0]), { low: node.attrs.value, high: node.attrs.value }]);
    case 'sum':
      return product(of(node.inputs[0]), {
        low: node.inputs[0].size / node.size,
        high: node.inputs[0].size / node.size,
      });
    case 'add':
      return sum(of(node.inputs[0]), of(node.inputs[1]));
    case 'sub':
      return sum(of(node.inputs[0]), product(of(node.inputs[1]), { low: -1, high: -1 }));
    case 'mul':
      return product(of(node.inputs[0]), of(node.inputs[1]));
    case 'maximum':
      return extremes(of(node.inputs[0]), of(node.inputs[1]), Math.max);
    case 'minimum':
      return extremes(of(node.inputs[0]), of(node.inputs[1]), Math.min);
    default:
      return anything;
  }
}

function boundsOfConstant(node: Node): Bounds {
  const values = splatOf(node) === undefined ? constantData(node)! : [splatOf(node)!];
  return hull(Array.from(values, (value) => ({ low: value, high: value })));
}

function positive({ low, high }: Bounds): Bounds {
  return { low: low > 0 ? low : 0, high: Math.max(Math.abs(low), Math.abs(high)) };
}

function hull(parts: readonly Bounds[]): Bounds {
  return parts.reduce((a, b) => ({ low: Math.min(a.low, b.low), high: Math.max(a.high, b.high) }));
}

function sum(a: Bounds, b: Bounds): Bounds {
  return { low: a.low + b.low, high: a.high + b.high };
}

function product(a: Bounds, b: Bounds): Bounds {
  // 0 · ∞ is 0 here: a bound of 0 is a factor that is always 0.
  const times = (x: number, y: number) => (x === 0 || y === 0 ? 0 : x * y);
  const all = [times(a.low, b.low), times(a.low, b.high), times(a.high, b.low), times(a.high, b.high)];
  return { low: Math.min(...all), high: Math.max(...all) };
}

function extremes(a: Bounds, b: Bounds, pick: (x: number, y: number) => number): Bounds {
  return { low: pick(a.low, b.low), high: pick(a.high, b.high) };
}
