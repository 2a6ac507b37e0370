// Original file: proto/lockstep/v1/control.proto


export interface StopRequestInput {
}

export interface StopRequest {
}
