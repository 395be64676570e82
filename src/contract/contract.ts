import * as v from 'valibot'
import { httpStatus, type HttpCode, type HttpStatus } from './statuses.ts'

// A contract describes a resource of the REST interface once. Handlers, the client's calls, access, audit and
// the description follow from it.

/** The HTTP status is given if it is not the code's usual status. */
type Refusal = HttpCode | readonly [HttpCode, HttpStatus]

interface BodyReading {
  /** A request without a body is read as `{}`. */
  readonly isOptional?: true
  /** In bytes, for callers without a token. */
  readonly most?: number
  /** hoop refuses a wrong text in these fields with 422, and a missing field with 400. */
  readonly unprocessable?: readonly string[]
}

export interface ContractOperation extends Omit<Operation, 'errors' | 'codes' | 'query'> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** In the form of fastify: `/api/schedules/:name`. */
  readonly path: `/${string}`
  /** Besides the codes that every route can answer. */
  readonly errors?: readonly Refusal[]
  /** Options of the URL by name. */
  readonly query?: Readonly<Record<string, v.GenericSchema<string | undefined, unknown>>>
  readonly bodyReading?: BodyReading
  /** For operations that set cookies or open a socket. A `type` also means mounting by hand. */
  readonly isMountedByHand?: true
}

export type Contract = Readonly<Record<string, ContractOperation>>

type ParamNames<Path extends string> = Path extends `${string}:${infer Rest}`
  ? Rest extends `${infer Name}/${infer More}`
    ? Name | ParamNames<More>
    : Rest
  : never

export type Params<O extends ContractOperation> = Readonly<Record<ParamNames<O['path']>, string>>

/** valibot infers mutable lists. */
export type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T

/** A plain value is answered with the first of these statuses in the contract. */
const SUCCESSES = [200, 201, 202, 204] as const
type Success = (typeof SUCCESSES)[number]

type SuccessOf<O extends ContractOperation> = Extract<keyof O['answers'], Success>

export type AnswerOf<O extends ContractOperation, S extends keyof O['answers'] = SuccessOf<O>> =
  O['answers'][S] extends v.GenericSchema<unknown, infer T> ? Frozen<T> : never

/** The body after the check. */
export type BodyOf<O extends ContractOperation> = O extends {
  readonly body: v.GenericSchema<unknown, infer T>
}
  ? Frozen<T>
  : undefined

/** The body, as callers send it. */
export type Sent<O extends ContractOperation> = O extends { readonly body: v.GenericSchema<infer T, unknown> }
  ? Frozen<T>
  : undefined

/** The options of the URL after the check. */
export type QueryOf<O extends ContractOperation> = O extends { readonly query: infer Q }
  ? { readonly [N in keyof Q]: Q[N] extends v.GenericSchema<unknown, infer T> ? T : never }
  : unknown

const NEEDED = new WeakSet()

/** If a required field of an answer is missing, the client refuses the whole answer. */
export function needed<S extends v.GenericSchema>(shape: S): S {
  // valibot's own metadata would appear in the description of the interface.
  const marked = { ...shape }
  NEEDED.add(marked)
  return marked
}

export function isNeeded(shape: object): boolean {
  return NEEDED.has(shape)
}

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

/** Returns undefined for an operation that always refuses. */
export function usualStatus({ answers }: ContractOperation): Success | undefined {
  return SUCCESSES.find((status) => status in answers)
}

export function pathOf(path: string, params: Readonly<Record<string, string>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
}

/** `access.ts` checks the role before the handler, without looking at the object. */
const ROLES = {
  public: 'anybody, without a token',
  user: 'users',
  standard: 'users, except auditors, who only read',
  auditor: 'auditors and admins',
  admin: 'admins',
} as const
export type Role = keyof typeof ROLES

/** What a caller with the role can reach. The route checks it, and answers as if the rest were missing. */
export const SCOPES = {
  connection: 'on connections that the caller may see',
  scheduled: 'on connections that the caller may see; auditors and admins: on all',
  concerned: "objects of the caller, and objects that the caller's groups review; auditors and admins: all",
  seen: "objects of the caller, objects that the caller's groups review, and objects that the caller may see by the setting `sessions` of the connection; auditors and admins: all",
  read: 'objects of the caller, and objects that the caller may see by the setting `sessions` of the connection; auditors and admins: all',
  end: 'objects of the caller; admins: all',
  tokens: 'tokens of the caller; admins who are people: all',
  own: 'objects of the caller',
  link: 'the session of the link',
} as const
export type OperationScope = keyof typeof SCOPES

/** The first four words are hoop's. */
export const AUDIT_ACTIONS = [
  'create',
  'update',
  'delete',
  'sign-in',
  /** A user has read the object. */
  'view',
  'download',
  /** A session begins, or waits for approval first. */
  'execute',
  'run',
  'kill',
  'decide',
  'start',
  'stop',
  'reload',
  /** Entries are missing, because they could not be written. */
  'gap',
] as const
export type AuditAction = (typeof AUDIT_ACTIONS)[number]

export const AUDIT_TYPES = [
  'sessions',
  'batches',
  'schedules',
  'reviews',
  'users',
  'user_groups',
  'service_accounts',
  'tokens',
  'api_keys',
  'settings',
  'backups',
  'webhooks',
  'gateway',
  'audit',
] as const
export type AuditType = (typeof AUDIT_TYPES)[number]

/**
 * `execute` is recorded with the session that begins, and itself only if it is refused. `view`, `download`
 * and `sign-in` are recorded with their answer. Other actions are recorded before they are done, and are
 * refused if they cannot be recorded.
 */
interface Audited {
  readonly action: Exclude<AuditAction, 'start' | 'stop' | 'gap'>
  readonly type: AuditType
  /** The operation ends or revokes something: it runs even if it cannot be recorded, and is counted. */
  readonly takesAway?: true
}

export interface Operation {
  readonly tag:
    | 'Runbooks'
    | 'Batches'
    | 'Sessions'
    | 'Schedules'
    | 'Reviews'
    | 'Connections'
    | 'Users'
    | 'Audit'
    | 'Gateway'
    | 'Page'
  readonly summary: string
  readonly description?: string
  readonly role: Role
  /**
   * For the sign-in by cookie: a thief of the cookie could create something that outlives the cookie.
   * `fresh`: allowed for `FRESH_MINUTES` after the sign-in. `refused`: never. Missing: the same as for the
   * user's token.
   */
  readonly byCookie?: 'fresh' | 'refused'
  /** Refuses even admins: a machine that changes identities could become another user. */
  readonly peopleOnly?: boolean
  /** Missing if the operation has no objects, or all callers can reach the same objects. */
  readonly scope?: OperationScope
  readonly audit: Audited | 'none'
  readonly body?: v.GenericSchema
  readonly query?: Readonly<Record<string, string>>
  /** By status. The errors of every route, `errors`, and 403 for a required sign-in are added. */
  readonly answers: Readonly<Record<number, v.GenericSchema>>
  /** Statuses of errors. A contract has codes instead, from which the statuses follow. */
  readonly errors?: readonly number[]
  /** Set if the operation comes from a contract. */
  readonly codes?: readonly HttpCode[]
  /** For an answer that is not JSON. */
  readonly type?: string
}

/** Time after the sign-in in which a browser may change users and tokens. */
export const FRESH_MINUTES = 10

const BY_COOKIE = {
  fresh: `, on the page within ${FRESH_MINUTES} minutes after the sign-in`,
  refused: ', with a token, not from the page',
} as const

export function callersOf({
  role,
  peopleOnly = false,
  byCookie,
}: Pick<Operation, 'role' | 'peopleOnly' | 'byCookie'>): string {
  const kinds = peopleOnly ? ', except machines' : ''
  return `${ROLES[role]}${kinds}${byCookie === undefined ? '' : BY_COOKIE[byCookie]}`
}

/** By method and path, in fastify's form. */
export type OperationTable = Readonly<Record<string, Operation>>

/**
 * Every route may answer these, because they are decided before a route is found. An unknown token gets 401,
 * even if the route needs no token, and 429 after too many unknown tokens.
 */
const ALWAYS = [400, 401, 408, 415, 417, 429, 431, 503]

export function errorStatuses({ role, body, errors = [], answers: own }: Operation): readonly number[] {
  const ofRole = role === 'public' ? [] : [403]
  const ofBodies = body === undefined ? [] : [413]
  const all = [...ofRole, ...ofBodies, ...errors, ...ALWAYS]
  return [...new Set(all)].filter((status) => own[status] === undefined).sort((a, b) => a - b)
}
