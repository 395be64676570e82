import type { AnswerOf } from '../../contract/contract.ts'
import { gatewayContract } from '../../contract/gateway.ts'
import { browserSignInContract, deviceSignInContract, localSignInContract } from '../../contract/sign-in.ts'
import type { Account } from '../account/account.ts'
import { ApiError } from './api-error.ts'
import { call, type Read } from './call.ts'
import { noGateway } from './json.ts'

interface User {
  readonly name: string
  readonly isAdmin: boolean
}

/** @throws ApiError `refused` when the token is not valid */
export async function fetchUser(account: Account, signal?: AbortSignal): Promise<User> {
  const { name, email, is_admin: isAdmin } = await call(account, gatewayContract.userInfo, {}, { signal })
  // Without this check, a JSON object from any server would be accepted as a user.
  if (`${name}${email}` === '') throw noGateway(account, gatewayContract.userInfo, 200)
  return { name: email || name, isAdmin }
}

/** Returns undefined when the gateway announces no address for streams. @throws ApiError */
export async function fetchGrpcUrl(account: Account): Promise<string | undefined> {
  return (await call(account, gatewayContract.serverInfo, {})).grpc_url || undefined
}

/** @throws ApiError, also when no address is configured or announced */
export async function findGrpcUrl(account: Account): Promise<string> {
  const url = account.grpcUrl ?? (await fetchGrpcUrl(account))
  if (url !== undefined) return url
  throw new ApiError(
    'no-gateway',
    `${account.rest.url} announces no address for streams; set HOOP_GRPCURL, or use login --grpc-url grpcs://host:port`,
  )
}

/** Whether users can sign in with a browser. Needs no token. @throws ApiError */
export async function offersSignIn(account: Account): Promise<boolean> {
  const { sign_in: ways = [] } = await call(account, gatewayContract.publicInfo, {})
  return ways.length > 0
}

/**
 * @param redirect where the browser goes after the sign-in
 * @param challenge derived from the verifier, which only this program knows
 */
export async function fetchLoginUrl(account: Account, redirect: string, challenge: string): Promise<string> {
  const query = { redirect, challenge }
  return (await call(account, browserSignInContract.begin, {}, { query })).login_url
}

/** @throws ApiError */
export async function takeToken(account: Account, code: string, verifier: string): Promise<string> {
  return (await call(account, browserSignInContract.take, {}, { body: { code, verifier } })).token
}

/** A sign-in that waits for a person in a browser on another machine. */
export type DeviceSignIn = Read<AnswerOf<typeof deviceSignInContract.begin>>

/** @param says text that tells the person about this program @throws ApiError */
export function beginDeviceSignIn(account: Account, says: string): Promise<DeviceSignIn> {
  return call(account, deviceSignInContract.begin, {}, { body: { says } })
}

/** Returns undefined while the person has not decided. @throws ApiError */
export async function deviceToken(account: Account, begun: DeviceSignIn): Promise<string | undefined> {
  const body = { device_code: begun.device_code }
  const answer = await call(account, deviceSignInContract.take, {}, { body })
  return 'token' in answer ? answer.token : undefined
}

/** @throws ApiError */
export async function endSignIn(account: Account): Promise<void> {
  await call(account, localSignInContract.signOut, {}, { answerMs: 10_000 })
}
