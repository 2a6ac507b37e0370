// Original file: proto/lockstep/v1/data.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DataChunkInput as _lockstep_v1_DataChunkInput, DataChunk as _lockstep_v1_DataChunk } from '../../lockstep/v1/DataChunk.js';
import type { FetchRequestInput as _lockstep_v1_FetchRequestInput, FetchRequest as _lockstep_v1_FetchRequest } from '../../lockstep/v1/FetchRequest.js';

export interface DataClient extends grpc.Client {
  /**
   * Streams one chunk of the dataset: label bytes, then image bytes [N, H, W, C].
   */
  Fetch(argument: _lockstep_v1_FetchRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_DataChunk>;
  Fetch(argument: _lockstep_v1_FetchRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_DataChunk>;
  /**
   * Streams one chunk of the dataset: label bytes, then image bytes [N, H, W, C].
   */
  fetch(argument: _lockstep_v1_FetchRequestInput, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_DataChunk>;
  fetch(argument: _lockstep_v1_FetchRequestInput, options?: grpc.CallOptions): grpc.ClientReadableStream<_lockstep_v1_DataChunk>;
  
}

export interface DataHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Streams one chunk of the dataset: label bytes, then image bytes [N, H, W, C].
   */
  Fetch: grpc.handleServerStreamingCall<_lockstep_v1_FetchRequest, _lockstep_v1_DataChunkInput>;
  
}

export interface DataDefinition extends grpc.ServiceDefinition {
  Fetch: MethodDefinition<_lockstep_v1_FetchRequestInput, _lockstep_v1_DataChunkInput, _lockstep_v1_FetchRequest, _lockstep_v1_DataChunk>
}
