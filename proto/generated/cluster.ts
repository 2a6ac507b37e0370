import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { AliveInput as _lockstep_v1_AliveInput, Alive as _lockstep_v1_Alive } from './lockstep/v1/Alive.js';
import type { AssignmentInput as _lockstep_v1_AssignmentInput, Assignment as _lockstep_v1_Assignment } from './lockstep/v1/Assignment.js';
import type { ClusterClient as _lockstep_v1_ClusterClient, ClusterDefinition as _lockstep_v1_ClusterDefinition } from './lockstep/v1/Cluster.js';
import type { ComputeInput as _lockstep_v1_ComputeInput, Compute as _lockstep_v1_Compute } from './lockstep/v1/Compute.js';
import type { EvaluateInput as _lockstep_v1_EvaluateInput, Evaluate as _lockstep_v1_Evaluate } from './lockstep/v1/Evaluate.js';
import type { EvaluationRowsInput as _lockstep_v1_EvaluationRowsInput, EvaluationRows as _lockstep_v1_EvaluationRows } from './lockstep/v1/EvaluationRows.js';
import type { FailureInput as _lockstep_v1_FailureInput, Failure as _lockstep_v1_Failure } from './lockstep/v1/Failure.js';
import type { FinishInput as _lockstep_v1_FinishInput, Finish as _lockstep_v1_Finish } from './lockstep/v1/Finish.js';
import type { FromWorkerInput as _lockstep_v1_FromWorkerInput, FromWorker as _lockstep_v1_FromWorker } from './lockstep/v1/FromWorker.js';
import type { HeartbeatInput as _lockstep_v1_HeartbeatInput, Heartbeat as _lockstep_v1_Heartbeat } from './lockstep/v1/Heartbeat.js';
import type { HelloInput as _lockstep_v1_HelloInput, Hello as _lockstep_v1_Hello } from './lockstep/v1/Hello.js';
import type { HoldingInput as _lockstep_v1_HoldingInput, Holding as _lockstep_v1_Holding } from './lockstep/v1/Holding.js';
import type { LeavingInput as _lockstep_v1_LeavingInput, Leaving as _lockstep_v1_Leaving } from './lockstep/v1/Leaving.js';
import type { NodeInput as _lockstep_v1_NodeInput, Node as _lockstep_v1_Node } from './lockstep/v1/Node.js';
import type { ParametersInput as _lockstep_v1_ParametersInput, Parameters as _lockstep_v1_Parameters } from './lockstep/v1/Parameters.js';
import type { PartialInput as _lockstep_v1_PartialInput, Partial as _lockstep_v1_Partial } from './lockstep/v1/Partial.js';
import type { ReadyInput as _lockstep_v1_ReadyInput, Ready as _lockstep_v1_Ready } from './lockstep/v1/Ready.js';
import type { ShardReportInput as _lockstep_v1_ShardReportInput, ShardReport as _lockstep_v1_ShardReport } from './lockstep/v1/ShardReport.js';
import type { ShardSpanInput as _lockstep_v1_ShardSpanInput, ShardSpan as _lockstep_v1_ShardSpan } from './lockstep/v1/ShardSpan.js';
import type { StampsInput as _lockstep_v1_StampsInput, Stamps as _lockstep_v1_Stamps } from './lockstep/v1/Stamps.js';
import type { ToWorkerInput as _lockstep_v1_ToWorkerInput, ToWorker as _lockstep_v1_ToWorker } from './lockstep/v1/ToWorker.js';
import type { WelcomeInput as _lockstep_v1_WelcomeInput, Welcome as _lockstep_v1_Welcome } from './lockstep/v1/Welcome.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  lockstep: {
    v1: {
      Alive: MessageTypeDefinition<_lockstep_v1_AliveInput, _lockstep_v1_Alive>
      Assignment: MessageTypeDefinition<_lockstep_v1_AssignmentInput, _lockstep_v1_Assignment>
      Cluster: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_ClusterClient> & { service: _lockstep_v1_ClusterDefinition }
      Compute: MessageTypeDefinition<_lockstep_v1_ComputeInput, _lockstep_v1_Compute>
      Evaluate: MessageTypeDefinition<_lockstep_v1_EvaluateInput, _lockstep_v1_Evaluate>
      EvaluationRows: MessageTypeDefinition<_lockstep_v1_EvaluationRowsInput, _lockstep_v1_EvaluationRows>
      Failure: MessageTypeDefinition<_lockstep_v1_FailureInput, _lockstep_v1_Failure>
      Finish: MessageTypeDefinition<_lockstep_v1_FinishInput, _lockstep_v1_Finish>
      FromWorker: MessageTypeDefinition<_lockstep_v1_FromWorkerInput, _lockstep_v1_FromWorker>
      Heartbeat: MessageTypeDefinition<_lockstep_v1_HeartbeatInput, _lockstep_v1_Heartbeat>
      Hello: MessageTypeDefinition<_lockstep_v1_HelloInput, _lockstep_v1_Hello>
      Holding: MessageTypeDefinition<_lockstep_v1_HoldingInput, _lockstep_v1_Holding>
      Leaving: MessageTypeDefinition<_lockstep_v1_LeavingInput, _lockstep_v1_Leaving>
      Node: MessageTypeDefinition<_lockstep_v1_NodeInput, _lockstep_v1_Node>
      Parameters: MessageTypeDefinition<_lockstep_v1_ParametersInput, _lockstep_v1_Parameters>
      Partial: MessageTypeDefinition<_lockstep_v1_PartialInput, _lockstep_v1_Partial>
      Ready: MessageTypeDefinition<_lockstep_v1_ReadyInput, _lockstep_v1_Ready>
      ShardReport: MessageTypeDefinition<_lockstep_v1_ShardReportInput, _lockstep_v1_ShardReport>
      ShardSpan: MessageTypeDefinition<_lockstep_v1_ShardSpanInput, _lockstep_v1_ShardSpan>
      Stamps: MessageTypeDefinition<_lockstep_v1_StampsInput, _lockstep_v1_Stamps>
      ToWorker: MessageTypeDefinition<_lockstep_v1_ToWorkerInput, _lockstep_v1_ToWorker>
      Welcome: MessageTypeDefinition<_lockstep_v1_WelcomeInput, _lockstep_v1_Welcome>
    }
  }
}

