// Original file: proto/lockstep/v1/cluster.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AliveInput as _lockstep_v1_AliveInput, Alive as _lockstep_v1_Alive } from '../../lockstep/v1/Alive.js';
import type { FromWorkerInput as _lockstep_v1_FromWorkerInput, FromWorker as _lockstep_v1_FromWorker } from '../../lockstep/v1/FromWorker.js';
import type { HeartbeatInput as _lockstep_v1_HeartbeatInput, Heartbeat as _lockstep_v1_Heartbeat } from '../../lockstep/v1/Heartbeat.js';
import type { ToWorkerInput as _lockstep_v1_ToWorkerInput, ToWorker as _lockstep_v1_ToWorker } from '../../lockstep/v1/ToWorker.js';

export interface ClusterClient extends grpc.Client {
  /**
   * Signs of life of both sides, from the moment a worker begins to join. Uses a connection of its own: on that of Join
   * they would wait behind vectors, for seconds at 1 Mbit/s. Answered at most once per second.
   */
  Beat(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HeartbeatInput, _lockstep_v1_Alive>;
  Beat(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HeartbeatInput, _lockstep_v1_Alive>;
  /**
   * Signs of life of both sides, from the moment a worker begins to join. Uses a connection of its own: on that of Join
   * they would wait behind vectors, for seconds at 1 Mbit/s. Answered at most once per second.
   */
  beat(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HeartbeatInput, _lockstep_v1_Alive>;
  beat(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_HeartbeatInput, _lockstep_v1_Alive>;
  
  /**
   * First message from the worker: Hello; first answer: Welcome, or the stream ends with a status that says why.
   */
  Join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_FromWorkerInput, _lockstep_v1_ToWorker>;
  Join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_FromWorkerInput, _lockstep_v1_ToWorker>;
  /**
   * First message from the worker: Hello; first answer: Welcome, or the stream ends with a status that says why.
   */
  join(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_FromWorkerInput, _lockstep_v1_ToWorker>;
  join(options?: grpc.CallOptions): grpc.ClientDuplexStream<_lockstep_v1_FromWorkerInput, _lockstep_v1_ToWorker>;
  
}

export interface ClusterHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Signs of life of both sides, from the moment a worker begins to join. Uses a connection of its own: on that of Join
   * they would wait behind vectors, for seconds at 1 Mbit/s. Answered at most once per second.
   */
  Beat: grpc.handleBidiStreamingCall<_lockstep_v1_Heartbeat, _lockstep_v1_AliveInput>;
  
  /**
   * First message from the worker: Hello; first answer: Welcome, or the stream ends with a status that says why.
   */
  Join: grpc.handleBidiStreamingCall<_lockstep_v1_FromWorker, _lockstep_v1_ToWorkerInput>;
  
}

export interface ClusterDefinition extends grpc.ServiceDefinition {
  Beat: MethodDefinition<_lockstep_v1_HeartbeatInput, _lockstep_v1_AliveInput, _lockstep_v1_Heartbeat, _lockstep_v1_Alive>
  Join: MethodDefinition<_lockstep_v1_FromWorkerInput, _lockstep_v1_ToWorkerInput, _lockstep_v1_FromWorker, _lockstep_v1_ToWorker>
}
