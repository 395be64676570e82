import * as v from 'valibot'
import { httpStatus, type HttpCode, type HttpStatus } from './statuses.ts'

// A contract describes a resource of the REST interface once. It types the gateway's handlers and the
// client's calls. Access, audit and the description of the interface read it.

/**
 * A code with which an operation refuses requests, and the HTTP status if it is not the code's usual status.
 */
type Refusal = HttpCode | readonly [HttpCode, HttpStatus]

/** Exceptions from the usual reading of a body. */
interface BodyReading {
  /** A request without a body is read as `{}`. */
  readonly isOptional?: true
  /** Maximum size of the body in bytes, for callers without a token. */
  readonly most?: number
  /** Fields for which hoop refuses a wrong text with 422. A missing field is refused with 400. */
  readonly unprocessable?: readonly string[]
}

/** An operation with its path, its callers, its answers, and the codes with which it can refuse requests. */
export interface ContractOperation extends Omit<Operation, 'errors' | 'codes' | 'query'> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The path in the form of fastify: `/api/schedules/:name`. */
  readonly path: `/${string}`
  /** Codes in addition to the codes that every route can answer. */
  readonly errors?: readonly Refusal[]
  /** Options of the URL by name. */
  readonly query?: Readonly<Record<string, v.GenericSchema<string | undefined, unknown>>>
  readonly bodyReading?: BodyReading
  /**
   * Set for an operation that sets cookies or opens a socket. Operations with a `type` are mounted by hand,
   * too.
   */
  readonly isMountedByHand?: true
}

/** The operations of one resource, by the names that handlers and callers use. */
export type Contract = Readonly<Record<string, ContractOperation>>

type ParamNames<Path extends string> = Path extends `${string}:${infer Rest}`
  ? Rest extends `${infer Name}/${infer More}`
    ? Name | ParamNames<More>
    : Rest
  : never

export type Params<O extends ContractOperation> = Readonly<Record<ParamNames<O['path']>, string>>

/** Makes a type read-only at all levels: valibot infers mutable lists. */
export type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T

/**
 * Statuses of successful answers. A plain value is answered with the first of these statuses in the contract.
 */
const SUCCESSES = [200, 201, 202, 204] as const
type Success = (typeof SUCCESSES)[number]

type SuccessOf<O extends ContractOperation> = Extract<keyof O['answers'], Success>

/** The answer of an operation that succeeds, or the answer with this status. */
export type AnswerOf<O extends ContractOperation, S extends keyof O['answers'] = SuccessOf<O>> =
  O['answers'][S] extends v.GenericSchema<unknown, infer T> ? Frozen<T> : never

/** The body of a request after the check. */
export type BodyOf<O extends ContractOperation> = O extends {
  readonly body: v.GenericSchema<unknown, infer T>
}
  ? Frozen<T>
  : undefined

/** The body of a request, as it is sent. */
export type Sent<O extends ContractOperation> = O extends { readonly body: v.GenericSchema<infer T, unknown> }
  ? Frozen<T>
  : undefined

/** The options of a request's URL after the check. */
export type QueryOf<O extends ContractOperation> = O extends { readonly query: infer Q }
  ? { readonly [N in keyof Q]: Q[N] extends v.GenericSchema<unknown, infer T> ? T : never }
  : unknown

const NEEDED = new WeakSet()

/** Marks a required field of an answer. If the field is missing, the client refuses the whole answer. */
export function needed<S extends v.GenericSchema>(shape: S): S {
  // valibot's own metadata would appear in the description of the interface.
  const marked = { ...shape }
  NEEDED.add(marked)
  return marked
}

export function isNeeded(shape: object): boolean {
  return NEEDED.has(shape)
}

/** Returns the rows of a contract's operations for access, audit and the description. */
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

/**
 * Returns the default status of an answer; undefined for an operation that always refuses.
 */
export function usualStatus({ answers }: ContractOperation): Success | undefined {
  return SUCCESSES.find((status) => status in answers)
}

export function pathOf(path: string, params: Readonly<Record<string, string>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''))
}

/** Who may call an operation. `access.ts` checks this before the handler, without looking at the object. */
const ROLES = {
  public: 'anybody, without a token',
  user: 'users',
  standard: 'users, except auditors, who only read',
  auditor: 'auditors and admins',
  admin: 'admins',
} as const
export type Role = keyof typeof ROLES

/**
 * The objects that a caller with the role can reach. The route checks this. Other objects are answered as
 * missing.
 */
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

/** The actions of audit log entries. The first four words are hoop's. */
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
  /** An approved session is run. */
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
 * How the audit log records a call. `execute` is recorded with the session that begins; the call is recorded
 * only if it is refused. `view`, `download` and `sign-in` are recorded with their answer. All other actions
 * are recorded before they are done, and are refused if they cannot be recorded.
 */
interface Audited {
  readonly action: Exclude<AuditAction, 'start' | 'stop' | 'gap'>
  readonly type: AuditType
  /**
   * Set for an operation that ends or revokes something. The operation runs even if it cannot be recorded;
   * then it is counted.
   */
  readonly takesAway?: true
}

/** The callers of a route, its audit log entry, and its description for callers. */
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
  /** Details that the summary does not say. */
  readonly description?: string
  readonly role: Role
  /**
   * Limits the sign-in by cookie, because a thief of the cookie could create something that outlives the
   * cookie. `fresh`: allowed for `FRESH_MINUTES` after the sign-in. `refused`: never allowed. Missing: the
   * same as for the user's token.
   */
  readonly byCookie?: 'fresh' | 'refused'
  /**
   * Whether machines are refused, even admins. With an identity that it creates or changes, a machine could
   * become another user.
   */
  readonly peopleOnly?: boolean
  /** Missing if the operation has no objects, or all callers can reach the same objects. */
  readonly scope?: OperationScope
  readonly audit: Audited | 'none'
  readonly body?: v.GenericSchema
  readonly query?: Readonly<Record<string, string>>
  /**
   * Answers by status. Errors are added automatically: the errors of every route, 403 if a sign-in is required,
   * and `errors`.
   */
  readonly answers: Readonly<Record<number, v.GenericSchema>>
  /** Statuses of errors. A contract has the codes instead, and the statuses are derived from the codes. */
  readonly errors?: readonly number[]
  /** The codes of these errors, if the operation comes from a contract. */
  readonly codes?: readonly HttpCode[]
  /** The type of an answer that is not JSON. */
  readonly type?: string
}

/** Time after the sign-in in which a browser may change users and tokens. */
export const FRESH_MINUTES = 10

const BY_COOKIE = {
  fresh: `, on the page within ${FRESH_MINUTES} minutes after the sign-in`,
  refused: ', with a token, not from the page',
} as const

/** Describes who may call an operation, before its objects are checked. */
export function callersOf({
  role,
  peopleOnly = false,
  byCookie,
}: Pick<Operation, 'role' | 'peopleOnly' | 'byCookie'>): string {
  const kinds = peopleOnly ? ', except machines' : ''
  return `${ROLES[role]}${kinds}${byCookie === undefined ? '' : BY_COOKIE[byCookie]}`
}

/** Operations by method and path, in fastify's form. */
export type OperationTable = Readonly<Record<string, Operation>>

/**
 * Statuses that every route may answer, because they are decided before a route is found. An unknown token is
 * answered with 401, even if the route needs no token, and with 429 after too many unknown tokens.
 */
const ALWAYS = [400, 401, 408, 415, 417, 429, 431, 503]

export function errorStatuses({ role, body, errors = [], answers: own }: Operation): readonly number[] {
  const ofRole = role === 'public' ? [] : [403]
  const ofBodies = body === undefined ? [] : [413]
  const all = [...ofRole, ...ofBodies, ...errors, ...ALWAYS]
  return [...new Set(all)].filter((status) => own[status] === undefined).sort((a, b) => a - b)
}
