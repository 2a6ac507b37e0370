import { instruction } from '../plan/opcodes.js';
import type { NativeRuntime } from './native.js';
import { addConvolutions, addMatrices, addMoves, addPools, addReductions } from './self-test-images.js';
import { generator } from './self-test-inputs.js';
import { addInstructions, addSinks, inputWords, SelfTestPlan } from './self-test-plan.js';

/** SHA-256 of the self-test's results in arithmetic 1, on every target. */
export const selfTestDigest = '2ed842ccb3f40c249855322f1f722781aef88aaa5ca69c752659b91e5f4795dc';

/**
 * Runs every kernel on a fixed plan and fixed inputs.
 *
 * @returns the results' bytes; those of arithmetic 1 have the SHA-256 `selfTestDigest`.
 */
export function runSelfTest(runtime: NativeRuntime): Uint8Array {
  const plan = new SelfTestPlan();
  addMoves(plan);
  addInstructions(plan, instruction);
  addSinks(plan, instruction);
  addConvolutions(plan);
  addMatrices(plan);
  addPools(plan);
  addReductions(plan);
  const outputs = new Float32Array(plan.outputWords);
  const program = runtime.createProgram(plan.build(), new Uint8Array(0), 1);
  const { numbers, bytes, integers } = inputs();
  const none = new Float32Array(0);
  program.run([numbers, none, bytes, integers, none, outputs, none, new Uint32Array(0)]);
  program.dispose();
  return new Uint8Array(outputs.buffer);
}

/** Fixed inputs: numbers from -2 to 2 (the second half from 0.25 to 2.25), bytes, integers from -100 to 155. */
function inputs() {
  const next = generator();
  return {
    numbers: Float32Array.from({ length: inputWords }, (_, i) =>
      i < inputWords / 2 ? 4 * next() - 2 : 2 * next() + 0.25,
    ),
    bytes: Uint8Array.from({ length: inputWords }, () => 256 * next()),
    integers: Int32Array.from({ length: inputWords }, () => Math.floor(256 * next()) - 100),
  };
}
