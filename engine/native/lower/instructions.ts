import { EngineError } from '../../errors.js';
import type { BinaryOp, DType, Node, UnaryOp } from '../../ir/node.js';
import type { Instruction } from '../plan/opcodes.js';

type ElementwiseOp = UnaryOp | BinaryOp | 'cast' | 'leakyRelu' | 'select';

/** Instructions for integers and booleans, which are the integers 0 and 1; those for f32 have the operations' names. */
const onIntegers: Partial<Record<ElementwiseOp, Instruction>> = {
  abs: 'iAbs',
  add: 'iAdd',
  ceil: 'copy',
  div: 'iDiv',
  equal: 'iEqual',
  floor: 'copy',
  floorDiv: 'iFloorDiv',
  greater: 'iGreater',
  greaterEqual: 'iGreaterEqual',
  less: 'iLess',
  lessEqual: 'iLessEqual',
  logicalAnd: 'and',
  logicalNot: 'not',
  logicalOr: 'or',
  maximum: 'iMaximum',
  minimum: 'iMinimum',
  mod: 'iMod',
  mul: 'iMul',
  neg: 'iNeg',
  notEqual: 'iNotEqual',
  pow: 'iPow',
  relu: 'iRelu',
  round: 'copy',
  sign: 'iSign',
  step: 'iStep',
  sub: 'iSub',
};

/** Instruction of an elementwise node. */
export function instructionOf(node: Node): Instruction {
  if (node.op === 'cast') return castInstruction(node.inputs[0].dtype, node.dtype);
  if (node.op === 'select') return 'select';
  const [first] = node.inputs as readonly [Node];
  const name = node.op as ElementwiseOp;
  const found = first.dtype === 'float32' ? (name as Instruction) : onIntegers[name];
  if (found !== undefined) return found;
  throw new EngineError(
    'UNSUPPORTED_KERNEL',
    `compile: expected ${name} of float32, got ${first.dtype}; convert the tensor to float32 before`,
  );
}

function castInstruction(from: DType, to: DType): Instruction {
  if (to === 'float32') return 'toFloat';
  if (from === 'float32') return to === 'int32' ? 'toInt' : 'toBool';
  return to === 'bool' && from === 'int32' ? 'iToBool' : 'copy';
}
