import { gatewayContract } from '../../contract/gateway.ts'
import type { Account } from './account.ts'
import { ApiError } from '../rest/http/api-error.ts'
import { call } from '../rest/http/call.ts'
import { noGateway } from '../rest/http/json.ts'

export interface User {
  readonly name: string
  readonly isAdmin: boolean
}

/** @throws ApiError `refused` when the token is not valid */
export async function fetchUser(account: Account, signal?: AbortSignal): Promise<User> {
  const { name, email, is_admin: isAdmin } = await call(account, gatewayContract.userInfo, {}, { signal })
  // Without this check any JSON object from any server would pass.
  if (`${name}${email}` === '') throw noGateway(account, gatewayContract.userInfo, 200)
  return { name: email || name, isAdmin }
}

/** The address of the streams that the gateway announces; undefined when it announces none. @throws ApiError */
export async function fetchGrpcUrl(account: Account, signal?: AbortSignal): Promise<string | undefined> {
  return (await call(account, gatewayContract.serverInfo, {}, { signal })).grpc_url || undefined
}

/** The account's own address of the streams, else the gateway's. @throws ApiError, also when there is none */
export async function findGrpcUrl(account: Account, signal?: AbortSignal): Promise<string> {
  const url = account.grpcUrl ?? (await fetchGrpcUrl(account, signal))
  if (url !== undefined) return url
  throw new ApiError(
    'no-gateway',
    `${account.rest.url} announces no address of its streams: set HOOP_GRPCURL, or login --grpc-url grpcs://host:port`,
  )
}
