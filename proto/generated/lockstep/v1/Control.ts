// Original file: proto/lockstep/v1/control.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { CheckpointRequestInput as _lockstep_v1_CheckpointRequestInput, CheckpointRequest as _lockstep_v1_CheckpointRequest } from '../../lockstep/v1/CheckpointRequest.js';
import type { ControlReplyInput as _lockstep_v1_ControlReplyInput, ControlReply as _lockstep_v1_ControlReply } from '../../lockstep/v1/ControlReply.js';
import type { HistoryReplyInput as _lockstep_v1_HistoryReplyInput, HistoryReply as _lockstep_v1_HistoryReply } from '../../lockstep/v1/HistoryReply.js';
import type { HistoryRequestInput as _lockstep_v1_HistoryRequestInput, HistoryRequest as _lockstep_v1_HistoryRequest } from '../../lockstep/v1/HistoryRequest.js';
import type { PauseRequestInput as _lockstep_v1_PauseRequestInput, PauseRequest as _lockstep_v1_PauseRequest } from '../../lockstep/v1/PauseRequest.js';
import type { ResumeRequestInput as _lockstep_v1_ResumeRequestInput, ResumeRequest as _lockstep_v1_ResumeRequest } from '../../lockstep/v1/ResumeRequest.js';
import type { ScaleRequestInput as _lockstep_v1_ScaleRequestInput, ScaleRequest as _lockstep_v1_ScaleRequest } from '../../lockstep/v1/ScaleRequest.js';
import type { StatusReplyInput as _lockstep_v1_StatusReplyInput, StatusReply as _lockstep_v1_StatusReply } from '../../lockstep/v1/StatusReply.js';
import type { StatusRequestInput as _lockstep_v1_StatusRequestInput, StatusRequest as _lockstep_v1_StatusRequest } from '../../lockstep/v1/StatusRequest.js';
import type { StopRequestInput as _lockstep_v1_StopRequestInput, StopRequest as _lockstep_v1_StopRequest } from '../../lockstep/v1/StopRequest.js';

export interface ControlClient extends grpc.Client {
  /**
   * Makes a checkpoint at the next step boundary. Replies when it is durable, or after 8 s.
   */
  Checkpoint(argument: _lockstep_v1_CheckpointRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Checkpoint(argument: _lockstep_v1_CheckpointRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Checkpoint(argument: _lockstep_v1_CheckpointRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Checkpoint(argument: _lockstep_v1_CheckpointRequestInput, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  /**
   * Makes a checkpoint at the next step boundary. Replies when it is durable, or after 8 s.
   */
  checkpoint(argument: _lockstep_v1_CheckpointRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  checkpoint(argument: _lockstep_v1_CheckpointRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  checkpoint(argument: _lockstep_v1_CheckpointRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  checkpoint(argument: _lockstep_v1_CheckpointRequestInput, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  
  /**
   * Loss curve, evaluations and events of the run so far, thinned for display.
   */
  History(argument: _lockstep_v1_HistoryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_HistoryReply>): grpc.ClientUnaryCall;
  History(argument: _lockstep_v1_HistoryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_HistoryReply>): grpc.ClientUnaryCall;
  History(argument: _lockstep_v1_HistoryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_HistoryReply>): grpc.ClientUnaryCall;
  History(argument: _lockstep_v1_HistoryRequestInput, callback: grpc.requestCallback<_lockstep_v1_HistoryReply>): grpc.ClientUnaryCall;
  /**
   * Loss curve, evaluations and events of the run so far, thinned for display.
   */
  history(argument: _lockstep_v1_HistoryRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_HistoryReply>): grpc.ClientUnaryCall;
  history(argument: _lockstep_v1_HistoryRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_HistoryReply>): grpc.ClientUnaryCall;
  history(argument: _lockstep_v1_HistoryRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_HistoryReply>): grpc.ClientUnaryCall;
  history(argument: _lockstep_v1_HistoryRequestInput, callback: grpc.requestCallback<_lockstep_v1_HistoryReply>): grpc.ClientUnaryCall;
  
  /**
   * Pauses the run at the next step boundary; workers stay connected. Replies when it is paused, or after 8 s.
   */
  Pause(argument: _lockstep_v1_PauseRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Pause(argument: _lockstep_v1_PauseRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Pause(argument: _lockstep_v1_PauseRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Pause(argument: _lockstep_v1_PauseRequestInput, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  /**
   * Pauses the run at the next step boundary; workers stay connected. Replies when it is paused, or after 8 s.
   */
  pause(argument: _lockstep_v1_PauseRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  pause(argument: _lockstep_v1_PauseRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  pause(argument: _lockstep_v1_PauseRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  pause(argument: _lockstep_v1_PauseRequestInput, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  
  /**
   * Resumes a paused run.
   */
  Resume(argument: _lockstep_v1_ResumeRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Resume(argument: _lockstep_v1_ResumeRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Resume(argument: _lockstep_v1_ResumeRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Resume(argument: _lockstep_v1_ResumeRequestInput, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  /**
   * Resumes a paused run.
   */
  resume(argument: _lockstep_v1_ResumeRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  resume(argument: _lockstep_v1_ResumeRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  resume(argument: _lockstep_v1_ResumeRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  resume(argument: _lockstep_v1_ResumeRequestInput, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  
  /**
   * Starts or drains workers. Rejected unless the coordinator's command started the workers.
   */
  Scale(argument: _lockstep_v1_ScaleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Scale(argument: _lockstep_v1_ScaleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Scale(argument: _lockstep_v1_ScaleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Scale(argument: _lockstep_v1_ScaleRequestInput, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  /**
   * Starts or drains workers. Rejected unless the coordinator's command started the workers.
   */
  scale(argument: _lockstep_v1_ScaleRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  scale(argument: _lockstep_v1_ScaleRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  scale(argument: _lockstep_v1_ScaleRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  scale(argument: _lockstep_v1_ScaleRequestInput, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  
  /**
   * Current status.
   */
  Status(argument: _lockstep_v1_StatusRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_StatusReply>): grpc.ClientUnaryCall;
  Status(argument: _lockstep_v1_StatusRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_StatusReply>): grpc.ClientUnaryCall;
  Status(argument: _lockstep_v1_StatusRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_StatusReply>): grpc.ClientUnaryCall;
  Status(argument: _lockstep_v1_StatusRequestInput, callback: grpc.requestCallback<_lockstep_v1_StatusReply>): grpc.ClientUnaryCall;
  /**
   * Current status.
   */
  status(argument: _lockstep_v1_StatusRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_StatusReply>): grpc.ClientUnaryCall;
  status(argument: _lockstep_v1_StatusRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_StatusReply>): grpc.ClientUnaryCall;
  status(argument: _lockstep_v1_StatusRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_StatusReply>): grpc.ClientUnaryCall;
  status(argument: _lockstep_v1_StatusRequestInput, callback: grpc.requestCallback<_lockstep_v1_StatusReply>): grpc.ClientUnaryCall;
  
  /**
   * Stops the run after the current step, with a checkpoint from which it can be resumed.
   */
  Stop(argument: _lockstep_v1_StopRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Stop(argument: _lockstep_v1_StopRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Stop(argument: _lockstep_v1_StopRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  Stop(argument: _lockstep_v1_StopRequestInput, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  /**
   * Stops the run after the current step, with a checkpoint from which it can be resumed.
   */
  stop(argument: _lockstep_v1_StopRequestInput, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  stop(argument: _lockstep_v1_StopRequestInput, metadata: grpc.Metadata, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  stop(argument: _lockstep_v1_StopRequestInput, options: grpc.CallOptions, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  stop(argument: _lockstep_v1_StopRequestInput, callback: grpc.requestCallback<_lockstep_v1_ControlReply>): grpc.ClientUnaryCall;
  
  /**
   * Status now, once per second, and at the end of the run, which ends the stream. Slow clients miss some in between.
   */
  Watch(argument: _lockstep_v1_StatusRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StatusReply>;
  Watch(argument: _lockstep_v1_StatusRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StatusReply>;
  /**
   * Status now, once per second, and at the end of the run, which ends the stream. Slow clients miss some in between.
   */
  watch(argument: _lockstep_v1_StatusRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StatusReply>;
  watch(argument: _lockstep_v1_StatusRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_StatusReply>;
  
}

export interface ControlHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Makes a checkpoint at the next step boundary. Replies when it is durable, or after 8 s.
   */
  Checkpoint: grpc.handleUnaryCall<_lockstep_v1_CheckpointRequest, _lockstep_v1_ControlReplyInput>;
  
  /**
   * Loss curve, evaluations and events of the run so far, thinned for display.
   */
  History: grpc.handleUnaryCall<_lockstep_v1_HistoryRequest, _lockstep_v1_HistoryReplyInput>;
  
  /**
   * Pauses the run at the next step boundary; workers stay connected. Replies when it is paused, or after 8 s.
   */
  Pause: grpc.handleUnaryCall<_lockstep_v1_PauseRequest, _lockstep_v1_ControlReplyInput>;
  
  /**
   * Resumes a paused run.
   */
  Resume: grpc.handleUnaryCall<_lockstep_v1_ResumeRequest, _lockstep_v1_ControlReplyInput>;
  
  /**
   * Starts or drains workers. Rejected unless the coordinator's command started the workers.
   */
  Scale: grpc.handleUnaryCall<_lockstep_v1_ScaleRequest, _lockstep_v1_ControlReplyInput>;
  
  /**
   * Current status.
   */
  Status: grpc.handleUnaryCall<_lockstep_v1_StatusRequest, _lockstep_v1_StatusReplyInput>;
  
  /**
   * Stops the run after the current step, with a checkpoint from which it can be resumed.
   */
  Stop: grpc.handleUnaryCall<_lockstep_v1_StopRequest, _lockstep_v1_ControlReplyInput>;
  
  /**
   * Status now, once per second, and at the end of the run, which ends the stream. Slow clients miss some in between.
   */
  Watch: grpc.handleServerStreamingCall<_lockstep_v1_StatusRequest, _lockstep_v1_StatusReplyInput>;
  
}

export interface ControlDefinition extends grpc.ServiceDefinition {
  Checkpoint: MethodDefinition<_lockstep_v1_CheckpointRequestInput, _lockstep_v1_ControlReplyInput, _lockstep_v1_CheckpointRequest, _lockstep_v1_ControlReply>
  History: MethodDefinition<_lockstep_v1_HistoryRequestInput, _lockstep_v1_HistoryReplyInput, _lockstep_v1_HistoryRequest, _lockstep_v1_HistoryReply>
  Pause: MethodDefinition<_lockstep_v1_PauseRequestInput, _lockstep_v1_ControlReplyInput, _lockstep_v1_PauseRequest, _lockstep_v1_ControlReply>
  Resume: MethodDefinition<_lockstep_v1_ResumeRequestInput, _lockstep_v1_ControlReplyInput, _lockstep_v1_ResumeRequest, _lockstep_v1_ControlReply>
  Scale: MethodDefinition<_lockstep_v1_ScaleRequestInput, _lockstep_v1_ControlReplyInput, _lockstep_v1_ScaleRequest, _lockstep_v1_ControlReply>
  Status: MethodDefinition<_lockstep_v1_StatusRequestInput, _lockstep_v1_StatusReplyInput, _lockstep_v1_StatusRequest, _lockstep_v1_StatusReply>
  Stop: MethodDefinition<_lockstep_v1_StopRequestInput, _lockstep_v1_ControlReplyInput, _lockstep_v1_StopRequest, _lockstep_v1_ControlReply>
  Watch: MethodDefinition<_lockstep_v1_StatusRequestInput, _lockstep_v1_StatusReplyInput, _lockstep_v1_StatusRequest, _lockstep_v1_StatusReply>
}
