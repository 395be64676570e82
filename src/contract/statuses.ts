import { STATUSES, type GatewayCode } from '../wire/gateway-codes.ts'

type CodeWith<S extends 'grpc' | 'http'> = {
  [C in GatewayCode]: (typeof STATUSES)[C] extends Readonly<Record<S, unknown>> ? C : never
}[GatewayCode]

/** A code with which a stream can end. */
export type RpcCode = CodeWith<'grpc'>
/** A code with which a REST request can be refused. */
export type HttpCode = CodeWith<'http'>

export type RpcStatus = (typeof STATUSES)[RpcCode]['grpc']
export type HttpStatus = (typeof STATUSES)[HttpCode]['http'][number]

export function rpcStatus(code: RpcCode): RpcStatus {
  return STATUSES[code].grpc
}

export function httpStatus(code: HttpCode): HttpStatus {
  return STATUSES[code].http[0]
}
