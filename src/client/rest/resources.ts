import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { ApiError } from './api-error.ts'
import { askJson } from './json.ts'

/** An object of hoop's interface, as it was sent. It may hold secrets. */
export type Resource = Readonly<Record<string, unknown>>

const One = v.looseObject({})
/** hoop sends some empty lists as null, and some lists in pages. */
const Many = v.union([
  v.pipe(
    v.null(),
    v.transform((): Resource[] => []),
  ),
  v.array(One),
  v.pipe(
    v.object({ data: v.nullable(v.array(One)) }),
    v.transform(({ data }) => data ?? []),
  ),
])

/** @throws ApiError */
export async function fetchResources(account: Account, path: string): Promise<readonly Resource[]> {
  return (await askJson(account, { method: 'GET', path }, Many)).value
}

/** Undefined when there is none. @throws ApiError */
export async function fetchResource(account: Account, path: string): Promise<Resource | undefined> {
  try {
    return (await askJson(account, { method: 'GET', path }, v.nullable(One))).value ?? undefined
  } catch (error) {
    if (error instanceof ApiError && error.status === 404 && error.kind === 'not-found') return undefined
    throw error
  }
}

/** @returns what the gateway has stored @throws ApiError */
export async function writeResource(
  account: Account,
  method: 'POST' | 'PUT',
  path: string,
  body: object,
): Promise<Resource> {
  return (await askJson(account, { method, path, body }, One)).value
}
