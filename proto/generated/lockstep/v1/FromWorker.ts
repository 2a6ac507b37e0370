// Original file: proto/lockstep/v1/cluster.proto

import type { HelloInput as _lockstep_v1_HelloInput, Hello as _lockstep_v1_Hello } from '../../lockstep/v1/Hello.js';
import type { ReadyInput as _lockstep_v1_ReadyInput, Ready as _lockstep_v1_Ready } from '../../lockstep/v1/Ready.js';
import type { HeartbeatInput as _lockstep_v1_HeartbeatInput, Heartbeat as _lockstep_v1_Heartbeat } from '../../lockstep/v1/Heartbeat.js';
import type { HoldingInput as _lockstep_v1_HoldingInput, Holding as _lockstep_v1_Holding } from '../../lockstep/v1/Holding.js';
import type { PartialInput as _lockstep_v1_PartialInput, Partial as _lockstep_v1_Partial } from '../../lockstep/v1/Partial.js';
import type { EvaluationRowsInput as _lockstep_v1_EvaluationRowsInput, EvaluationRows as _lockstep_v1_EvaluationRows } from '../../lockstep/v1/EvaluationRows.js';
import type { FailureInput as _lockstep_v1_FailureInput, Failure as _lockstep_v1_Failure } from '../../lockstep/v1/Failure.js';
import type { LeavingInput as _lockstep_v1_LeavingInput, Leaving as _lockstep_v1_Leaving } from '../../lockstep/v1/Leaving.js';

export interface FromWorkerInput {
  'hello'?: (_lockstep_v1_HelloInput | null);
  'ready'?: (_lockstep_v1_ReadyInput | null);
  'heartbeat'?: (_lockstep_v1_HeartbeatInput | null);
  'holding'?: (_lockstep_v1_HoldingInput | null);
  'partial'?: (_lockstep_v1_PartialInput | null);
  'rows'?: (_lockstep_v1_EvaluationRowsInput | null);
  'failure'?: (_lockstep_v1_FailureInput | null);
  'leaving'?: (_lockstep_v1_LeavingInput | null);
  'message'?: "hello"|"ready"|"heartbeat"|"holding"|"partial"|"rows"|"failure"|"leaving";
}

export interface FromWorker {
  'hello'?: (_lockstep_v1_Hello | null);
  'ready'?: (_lockstep_v1_Ready | null);
  'heartbeat'?: (_lockstep_v1_Heartbeat | null);
  'holding'?: (_lockstep_v1_Holding | null);
  'partial'?: (_lockstep_v1_Partial | null);
  'rows'?: (_lockstep_v1_EvaluationRows | null);
  'failure'?: (_lockstep_v1_Failure | null);
  'leaving'?: (_lockstep_v1_Leaving | null);
  'message'?: "hello"|"ready"|"heartbeat"|"holding"|"partial"|"rows"|"failure"|"leaving";
}
