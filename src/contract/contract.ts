import * as v from 'valibot'
import type { Operation, OperationTable } from './operation.ts'
import { httpStatus, type HttpCode, type HttpStatus } from './statuses.ts'

// A contract describes a resource of the REST interface once: the gateway's handlers are typed by it, the client
// calls by it, and access, audit and the description of the interface look it up.

/** What an operation refuses with: a code, with its status where that is not the usual one of the code. */
type Refusal = HttpCode | readonly [HttpCode, HttpStatus]

/** How a body is read, where that is not as usual. */
interface BodyReading {
  /** A request without a body is read as `{}`. */
  readonly isOptional?: true
  /** Largest body in bytes, for callers without a token. */
  readonly most?: number
  /** Fields that hoop refuses with 422 instead of 400. */
  readonly unprocessable?: readonly string[]
}

/** One operation: where it is, who may call it, what it answers, and the codes that it can refuse with. */
export interface ContractOperation extends Omit<Operation, 'errors' | 'codes' | 'query'> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** In fastify's form: `/api/schedules/:name`. */
  readonly path: `/${string}`
  /** Codes besides those of every route. */
  readonly errors?: readonly Refusal[]
  /** Options of the URL, by name (`query.ts`). */
  readonly query?: Readonly<Record<string, v.GenericSchema<string | undefined, unknown>>>
  readonly bodyReading?: BodyReading
  /** It sets cookies or opens a socket. So is what has a `type`. */
  readonly isMountedByHand?: true
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

/** Statuses of answers without an error. A plain value is answered with the first one that the contract has. */
const SUCCESSES = [200, 201, 202, 204] as const
type Success = (typeof SUCCESSES)[number]

type SuccessOf<O extends ContractOperation> = Extract<keyof O['answers'], Success>

/** What an operation answers when it succeeds, or with this status. */
export type AnswerOf<O extends ContractOperation, S extends keyof O['answers'] = SuccessOf<O>> =
  O['answers'][S] extends v.GenericSchema<unknown, infer T> ? Frozen<T> : never

/** The body of a request, as it was checked. */
export type BodyOf<O extends ContractOperation> = O extends {
  readonly body: v.GenericSchema<unknown, infer T>
}
  ? Frozen<T>
  : undefined

/** The body of a request, as it is sent. */
export type Sent<O extends ContractOperation> = O extends { readonly body: v.GenericSchema<infer T, unknown> }
  ? Frozen<T>
  : undefined

/** The options of a request's URL, as they were checked. */
export type QueryOf<O extends ContractOperation> = O extends { readonly query: infer Q }
  ? { readonly [N in keyof Q]: Q[N] extends v.GenericSchema<unknown, infer T> ? T : never }
  : unknown

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
  const rows = Object.values(contract).map(({ method, path, errors = [], query = {}, ...operation }) => {
    const refusals = errors.map((one) => (typeof one === 'string' ? ([one, httpStatus(one)] as const) : one))
    const codes = refusals.map(([code]) => code)
    const statuses = [...new Set(refusals.map(([, status]) => status))]
    const options = Object.entries(query).map(([name, shape]) => [name, v.getDescription(shape) ?? ''])
    const described = Object.fromEntries(options) as Readonly<Record<string, string>>
    return [`${method} ${path}`, { ...operation, query: described, codes, errors: statuses }] as const
  })
  return Object.fromEntries(rows)
}

/** The status of an answer whose handler names none. Undefined for an operation that always refuses. */
export function usualStatus({ answers }: ContractOperation): Success | undefined {
  return SUCCESSES.find((status) => status in answers)
}

/** An operation's path with its parameters filled in. */
export function pathOf(path: string, params: Readonly<Record<string, string>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
}
