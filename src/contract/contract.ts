import type * as v from 'valibot'
import type { Operation, OperationTable } from './operation.ts'
import { httpStatus, type HttpCode } from './statuses.ts'

// A contract describes a resource of the REST interface once: the gateway's handlers are typed by it, the client
// calls by it, and access, audit and the description of the interface look it up.

/** One operation: where it is, who may call it, what it answers, and the codes that it can refuse with. */
export interface ContractOperation extends Omit<Operation, 'errors'> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** In fastify's form: `/api/schedules/:name`. */
  readonly path: `/${string}`
  /** Codes besides those of every route. */
  readonly errors?: readonly HttpCode[]
}

/** The operations of one resource, by the names that handlers and callers use. */
export type Contract = Readonly<Record<string, ContractOperation>>

type ParamNames<Path extends string> = Path extends `${string}:${infer Rest}`
  ? Rest extends `${infer Name}/${infer More}`
    ? Name | ParamNames<More>
    : Rest
  : never

/** The parameters in an operation's path. */
export type Params<O extends ContractOperation> = Readonly<Record<ParamNames<O['path']>, string>>

/** Read-only all the way down: valibot infers lists that can be changed. */
export type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T

/** What an operation answers with status 200. */
export type AnswerOf<O extends ContractOperation> =
  O['answers'][200] extends v.GenericSchema<unknown, infer T> ? Frozen<T> : never

const NEEDED = new WeakSet()

/** Marks a field of an answer without which the client does not read the answer at all. */
export function needed<S extends v.GenericSchema>(shape: S): S {
  // valibot's own metadata would show in the description of the interface.
  const marked = { ...shape }
  NEEDED.add(marked)
  return marked
}

export function isNeeded(shape: object): boolean {
  return NEEDED.has(shape)
}

/** The rows by which access, audit and the description know a contract's operations. */
export function tableOf(contract: Contract): OperationTable {
  const rows = Object.values(contract).map(({ method, path, errors = [], ...operation }) => {
    const statuses = errors.map((code) => httpStatus(code))
    return [`${method} ${path}`, { ...operation, codes: errors, errors: [...new Set(statuses)] }] as const
  })
  return Object.fromEntries(rows)
}

/** An operation's path with its parameters filled in. */
export function pathOf(path: string, params: Readonly<Record<string, string>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
}
