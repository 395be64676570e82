import type * as v from 'valibot'
import {
  pathOf,
  usualStatus,
  type AnswerOf,
  type ContractOperation,
  type Params,
  type Sent,
} from '../../contract/contract.ts'
import type { Account } from '../account/account.ts'
import { askJson, askWell, discardBody } from './json.ts'
import { readerOf, UNREADABLE } from './reading.ts'

/**
 * An answer as this program reads it. Other versions of gateways leave out fields or send unknown words, and
 * hoop's gateway sends empty lists as null. A missing text becomes '', and a missing list becomes []. Only
 * fields that the contract marks as needed must be present. `raw` is the object as the gateway sent it.
 */
export type Read<T> = unknown extends T
  ? T
  : T extends readonly (infer E)[]
    ? readonly Read<E>[]
    : T extends string
      ? string
      : T extends boolean
        ? boolean
        : T extends object
          ? string extends keyof T
            ? { readonly [K in keyof T]: Read<T[K]> }
            : { readonly [K in keyof Required<T>]: ReadField<T[K]> } & { readonly raw: object }
          : T
type ReadField<T> = [NonNullable<T>] extends [never]
  ? undefined
  : [NonNullable<T>] extends [string]
    ? string
    : [T] extends [readonly unknown[] | boolean | number]
      ? Read<T>
      : [string, T] extends [keyof T, object]
        ? Read<T>
        : Read<NonNullable<T>> | undefined

type Sending<O extends ContractOperation> = {
  readonly query?: Readonly<Partial<Record<keyof O['query'] & string, string>>>
  /** Default: 30 s. */
  readonly answerMs?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
} & (Sent<O> extends undefined ? { readonly body?: undefined } : { readonly body: Sent<O> })

/** @throws ApiError */
export async function call<O extends ContractOperation>(
  account: Account,
  operation: O,
  params: Params<O>,
  ...[sending]: O extends { readonly body: v.GenericSchema } ? [Sending<O>] : [Sending<O>?]
): Promise<Read<AnswerOf<O>>> {
  const { method, path, role, answers } = operation
  const { query = {}, body, ...more } = (sending ?? {}) as Partial<Sending<ContractOperation>>
  const options = new URLSearchParams(query).toString()
  const question = {
    ...more,
    method,
    path: pathOf(path, params) + (options === '' ? '' : `?${options}`),
    body: body as object | undefined,
    isPublic: role === 'public',
  }
  const usual = usualStatus(operation) ?? 200
  if (usual === 204) {
    await discardBody(await askWell(account, question))
    return undefined as Read<AnswerOf<O>>
  }
  const read = (json: unknown, status: number) => {
    const shape = answers[status] ?? answers[usual]
    return shape === undefined ? UNREADABLE : (readerOf(shape)(json) as Read<AnswerOf<O>>)
  }
  return (await askJson(account, question, read)).value
}
