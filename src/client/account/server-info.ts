import * as v from 'valibot'
import type { Account } from './account.ts'
import { ApiError } from '../rest/http/api-error.ts'
import type { Question } from '../rest/http/http.ts'
import { askJson } from '../rest/http/json.ts'

export interface User {
  readonly name: string
  readonly isAdmin: boolean
}

const UserInfo = v.pipe(
  v.object({
    name: v.optional(v.string(), ''),
    email: v.optional(v.string(), ''),
    is_admin: v.optional(v.boolean(), false),
  }),
  // Without this check any JSON object from any server would pass.
  v.check(({ name, email }) => `${name}${email}` !== ''),
)

/** @throws ApiError `refused` when the token is not valid */
export async function fetchUser(account: Account, signal?: AbortSignal): Promise<User> {
  const { value } = await askJson(account, get('/api/userinfo', signal), UserInfo)
  return { name: value.email || value.name, isAdmin: value.is_admin }
}

const ServerInfo = v.object({ grpc_url: v.optional(v.string(), '') })

/** The address of the streams that the gateway announces; undefined when it announces none. @throws ApiError */
export async function fetchGrpcUrl(account: Account, signal?: AbortSignal): Promise<string | undefined> {
  const { value } = await askJson(account, get('/api/serverinfo', signal), ServerInfo)
  return value.grpc_url || undefined
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

function get(path: string, signal: AbortSignal | undefined): Question {
  return { method: 'GET', path, signal }
}
