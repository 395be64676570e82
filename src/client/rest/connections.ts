import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { ApiError } from './api-error.ts'
import { askJson } from './json.ts'

const Connections = v.array(v.looseObject({ name: v.string() }))

/** The names of the connections that the user may see. @throws ApiError */
export async function fetchConnectionNames(
  account: Account,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { value } = await askJson(account, { method: 'GET', path: '/api/connections', signal }, Connections)
  return value.map(({ name }) => name)
}

/** Like `fetchConnectionNames`, for a hint: empty when the gateway does not answer. */
export async function connectionNamesIfKnown(
  account: Account,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  try {
    return await fetchConnectionNames(account, signal)
  } catch (error) {
    if (error instanceof ApiError) return []
    throw error
  }
}
