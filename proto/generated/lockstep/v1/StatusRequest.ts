// Original file: proto/lockstep/v1/control.proto


export interface StatusRequestInput {
}

export interface StatusRequest {
}
