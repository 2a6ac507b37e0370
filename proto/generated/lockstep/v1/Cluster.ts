// Original file: proto/lockstep/v1/cluster.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AliveInput as _lockstep_v1_AliveInput, Alive as _lockstep_v1_Alive } from '../../lockstep/v1/Alive.js';
import type { FromWorkerInput as _lockstep_v1_FromWorkerInput, FromWorker as _lockstep_v1_FromWorker } from '../../lockstep/v1/FromWorker.js';
import type { HeartbeatInput as _lockstep_v1_HeartbeatInput, Heartbeat as _lockstep_v1_Heartbeat } from '../../lockstep/v1/Heartbeat.js';
import type { ToWorkerInput as _lockstep_v1_ToWorkerInput, ToWorker as _lockstep_v1_ToWorker } from '../../lockstep/v1/ToWorker.js';

export interface ClusterClient extends grpc.Client {
  /**
   * Heartbeats of the worker, and the coordinator's replies, at most one per second. Starts when a worker begins to join.
   * Uses a separate connection, because on that of Join heartbeats would wait behind vectors, for seconds at 1 Mbit/s.
   */
  Beat(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HeartbeatInput, _lockstep_v1_Alive>;
  Beat(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HeartbeatInput, _lockstep_v1_Alive>;
  /**
   * Heartbeats of the worker, and the coordinator's replies, at most one per second. Starts when a worker begins to join.
   * Uses a separate connection, because on that of Join heartbeats would wait behind vectors, for seconds at 1 Mbit/s.
   */
  beat(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HeartbeatInput, _lockstep_v1_Alive>;
  beat(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HeartbeatInput, _lockstep_v1_Alive>;
  
  /**
   * The worker's first message is Hello. The coordinator replies with Welcome, or ends the stream with the reason as its
   * status.
   */
  Join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_FromWorkerInput, _lockstep_v1_ToWorker>;
  Join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_FromWorkerInput, _lockstep_v1_ToWorker>;
  /**
   * The worker's first message is Hello. The coordinator replies with Welcome, or ends the stream with the reason as its
   * status.
   */
  join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_FromWorkerInput, _lockstep_v1_ToWorker>;
  join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_FromWorkerInput, _lockstep_v1_ToWorker>;
  
}

export interface ClusterHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Heartbeats of the worker, and the coordinator's replies, at most one per second. Starts when a worker begins to join.
   * Uses a separate connection, because on that of Join heartbeats would wait behind vectors, for seconds at 1 Mbit/s.
   */
  Beat: grpc.handleBidiStreamingCall<_lockstep_v1_Heartbeat, _lockstep_v1_AliveInput>;
  
  /**
   * The worker's first message is Hello. The coordinator replies with Welcome, or ends the stream with the reason as its
   * status.
   */
  Join: grpc.handleBidiStreamingCall<_lockstep_v1_FromWorker, _lockstep_v1_ToWorkerInput>;
  
}

export interface ClusterDefinition extends grpc.ServiceDefinition {
  Beat: MethodDefinition<_lockstep_v1_HeartbeatInput, _lockstep_v1_AliveInput, _lockstep_v1_Heartbeat, _lockstep_v1_Alive>
  Join: MethodDefinition<_lockstep_v1_FromWorkerInput, _lockstep_v1_ToWorkerInput, _lockstep_v1_FromWorker, _lockstep_v1_ToWorker>
}
