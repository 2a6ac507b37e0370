// Original file: proto/lockstep/v1/control.proto


export interface ResumeRequestInput {
}

export interface ResumeRequest {
}
