import { instruction } from '../../../engine/native/plan/opcodes.js';
import {
  addConvolutions,
  addMatrices,
  addMoves,
  addPools,
  addReductions,
} from '../../../engine/native/load/self-test-images.js';
import { addInstructions, addSinks, SelfTestPlan } from '../../../engine/native/load/self-test-plan.js';

/** The self-test in parts, so that a damaged plan reaches every kernel. */
export function selfTestPlans(): SelfTestPlan[] {
  const parts = [addMoves, addConvolutions, addMatrices, addPools, addReductions];
  const plans = parts.map((add) => build((plan) => add(plan)));
  return [...plans, build((plan) => addInstructions(plan, instruction)), build((plan) => addSinks(plan, instruction))];
}

function build(add: (plan: SelfTestPlan) => void): SelfTestPlan {
  const plan = new SelfTestPlan();
  add(plan);
  return plan;
}
