/** Why a session could not be served or was ended from this side, in the terms of gRPC. */
export interface RpcFailure {
  readonly code: 'Canceled' | 'FailedPrecondition' | 'InvalidArgument' | 'ResourceExhausted' | 'Unknown'
  readonly reason: string
}

/** As grpc-go writes it: in REST answers and records it stands where the original gateway puts its gRPC errors. */
export function failureText({ code, reason }: RpcFailure): string {
  return `rpc error: code = ${code} desc = ${reason}`
}
