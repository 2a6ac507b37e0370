import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { CheckpointRequestInput as _lockstep_v1_CheckpointRequestInput, CheckpointRequest as _lockstep_v1_CheckpointRequest } from './lockstep/v1/CheckpointRequest.js';
import type { ControlClient as _lockstep_v1_ControlClient, ControlDefinition as _lockstep_v1_ControlDefinition } from './lockstep/v1/Control.js';
import type { ControlReplyInput as _lockstep_v1_ControlReplyInput, ControlReply as _lockstep_v1_ControlReply } from './lockstep/v1/ControlReply.js';
import type { EvaluationPointInput as _lockstep_v1_EvaluationPointInput, EvaluationPoint as _lockstep_v1_EvaluationPoint } from './lockstep/v1/EvaluationPoint.js';
import type { HistoryReplyInput as _lockstep_v1_HistoryReplyInput, HistoryReply as _lockstep_v1_HistoryReply } from './lockstep/v1/HistoryReply.js';
import type { HistoryRequestInput as _lockstep_v1_HistoryRequestInput, HistoryRequest as _lockstep_v1_HistoryRequest } from './lockstep/v1/HistoryRequest.js';
import type { NoteInput as _lockstep_v1_NoteInput, Note as _lockstep_v1_Note } from './lockstep/v1/Note.js';
import type { PauseRequestInput as _lockstep_v1_PauseRequestInput, PauseRequest as _lockstep_v1_PauseRequest } from './lockstep/v1/PauseRequest.js';
import type { ResumeRequestInput as _lockstep_v1_ResumeRequestInput, ResumeRequest as _lockstep_v1_ResumeRequest } from './lockstep/v1/ResumeRequest.js';
import type { ScaleRequestInput as _lockstep_v1_ScaleRequestInput, ScaleRequest as _lockstep_v1_ScaleRequest } from './lockstep/v1/ScaleRequest.js';
import type { StatusReplyInput as _lockstep_v1_StatusReplyInput, StatusReply as _lockstep_v1_StatusReply } from './lockstep/v1/StatusReply.js';
import type { StatusRequestInput as _lockstep_v1_StatusRequestInput, StatusRequest as _lockstep_v1_StatusRequest } from './lockstep/v1/StatusRequest.js';
import type { StopRequestInput as _lockstep_v1_StopRequestInput, StopRequest as _lockstep_v1_StopRequest } from './lockstep/v1/StopRequest.js';
import type { WaitingForInput as _lockstep_v1_WaitingForInput, WaitingFor as _lockstep_v1_WaitingFor } from './lockstep/v1/WaitingFor.js';
import type { WorkerStatusInput as _lockstep_v1_WorkerStatusInput, WorkerStatus as _lockstep_v1_WorkerStatus } from './lockstep/v1/WorkerStatus.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  lockstep: {
    v1: {
      CheckpointRequest: MessageTypeDefinition<_lockstep_v1_CheckpointRequestInput, _lockstep_v1_CheckpointRequest>
      Control: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_ControlClient> & { service: _lockstep_v1_ControlDefinition }
      ControlReply: MessageTypeDefinition<_lockstep_v1_ControlReplyInput, _lockstep_v1_ControlReply>
      EvaluationPoint: MessageTypeDefinition<_lockstep_v1_EvaluationPointInput, _lockstep_v1_EvaluationPoint>
      HistoryReply: MessageTypeDefinition<_lockstep_v1_HistoryReplyInput, _lockstep_v1_HistoryReply>
      HistoryRequest: MessageTypeDefinition<_lockstep_v1_HistoryRequestInput, _lockstep_v1_HistoryRequest>
      Note: MessageTypeDefinition<_lockstep_v1_NoteInput, _lockstep_v1_Note>
      PauseRequest: MessageTypeDefinition<_lockstep_v1_PauseRequestInput, _lockstep_v1_PauseRequest>
      ResumeRequest: MessageTypeDefinition<_lockstep_v1_ResumeRequestInput, _lockstep_v1_ResumeRequest>
      ScaleRequest: MessageTypeDefinition<_lockstep_v1_ScaleRequestInput, _lockstep_v1_ScaleRequest>
      StatusReply: MessageTypeDefinition<_lockstep_v1_StatusReplyInput, _lockstep_v1_StatusReply>
      StatusRequest: MessageTypeDefinition<_lockstep_v1_StatusRequestInput, _lockstep_v1_StatusRequest>
      StopRequest: MessageTypeDefinition<_lockstep_v1_StopRequestInput, _lockstep_v1_StopRequest>
      WaitingFor: MessageTypeDefinition<_lockstep_v1_WaitingForInput, _lockstep_v1_WaitingFor>
      WorkerStatus: MessageTypeDefinition<_lockstep_v1_WorkerStatusInput, _lockstep_v1_WorkerStatus>
    }
  }
}

