// Original file: proto/lockstep/v1/control.proto


export interface CheckpointRequestInput {
}

export interface CheckpointRequest {
}
