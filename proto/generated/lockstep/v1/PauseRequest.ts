// Original file: proto/lockstep/v1/control.proto


export interface PauseRequestInput {
}

export interface PauseRequest {
}
