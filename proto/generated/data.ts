import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { DataClient as _lockstep_v1_DataClient, DataDefinition as _lockstep_v1_DataDefinition } from './lockstep/v1/Data.js';
import type { DataChunkInput as _lockstep_v1_DataChunkInput, DataChunk as _lockstep_v1_DataChunk } from './lockstep/v1/DataChunk.js';
import type { FetchRequestInput as _lockstep_v1_FetchRequestInput, FetchRequest as _lockstep_v1_FetchRequest } from './lockstep/v1/FetchRequest.js';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  lockstep: {
    v1: {
      Data: SubtypeConstructor<typeof grpc.Client, _lockstep_v1_DataClient> & { service: _lockstep_v1_DataDefinition }
      DataChunk: MessageTypeDefinition<_lockstep_v1_DataChunkInput, _lockstep_v1_DataChunk>
      FetchRequest: MessageTypeDefinition<_lockstep_v1_FetchRequestInput, _lockstep_v1_FetchRequest>
    }
  }
}

