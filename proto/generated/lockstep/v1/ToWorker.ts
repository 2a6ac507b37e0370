// Original file: proto/lockstep/v1/cluster.proto

import type { WelcomeInput as _lockstep_v1_WelcomeInput, Welcome as _lockstep_v1_Welcome } from '../../lockstep/v1/Welcome.js';
import type { AssignmentInput as _lockstep_v1_AssignmentInput, Assignment as _lockstep_v1_Assignment } from '../../lockstep/v1/Assignment.js';
import type { ComputeInput as _lockstep_v1_ComputeInput, Compute as _lockstep_v1_Compute } from '../../lockstep/v1/Compute.js';
import type { EvaluateInput as _lockstep_v1_EvaluateInput, Evaluate as _lockstep_v1_Evaluate } from '../../lockstep/v1/Evaluate.js';
import type { ParametersInput as _lockstep_v1_ParametersInput, Parameters as _lockstep_v1_Parameters } from '../../lockstep/v1/Parameters.js';
import type { FinishInput as _lockstep_v1_FinishInput, Finish as _lockstep_v1_Finish } from '../../lockstep/v1/Finish.js';

export interface ToWorkerInput {
  'welcome'?: (_lockstep_v1_WelcomeInput | null);
  'assignment'?: (_lockstep_v1_AssignmentInput | null);
  'compute'?: (_lockstep_v1_ComputeInput | null);
  'evaluate'?: (_lockstep_v1_EvaluateInput | null);
  'parameters'?: (_lockstep_v1_ParametersInput | null);
  'finish'?: (_lockstep_v1_FinishInput | null);
  'message'?: "welcome"|"assignment"|"compute"|"evaluate"|"parameters"|"finish";
}

export interface ToWorker {
  'welcome'?: (_lockstep_v1_Welcome | null);
  'assignment'?: (_lockstep_v1_Assignment | null);
  'compute'?: (_lockstep_v1_Compute | null);
  'evaluate'?: (_lockstep_v1_Evaluate | null);
  'parameters'?: (_lockstep_v1_Parameters | null);
  'finish'?: (_lockstep_v1_Finish | null);
  'message'?: "welcome"|"assignment"|"compute"|"evaluate"|"parameters"|"finish";
}
