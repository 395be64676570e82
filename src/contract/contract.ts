import * as v from 'valibot'
import { httpStatus, type HttpCode, type HttpStatus } from './statuses.ts'

// A contract describes a resource of the REST interface once. From this description the program makes
// handlers, the client's calls, access, audit and the published description.

/** A code, with an HTTP status if it is not the code's usual status. */
type Refusal = HttpCode | readonly [HttpCode, HttpStatus]

interface BodyReading {
  /** A request without a body is read as `{}`. */
  readonly isOptional?: true
  /** The maximum size in bytes, for callers without a token. */
  readonly most?: number
  /**
   * Fields in which hoop refuses a wrong text with 422. If such a field is missing, hoop refuses the request
   * with 400.
   */
  readonly unprocessable?: readonly string[]
}

export interface ContractOperation extends Omit<Operation, 'errors' | 'codes' | 'query'> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The path in fastify's form, for example `/api/schedules/:name`. */
  readonly path: `/${string}`
  /** Codes that this route can answer in addition to the codes of every route. */
  readonly errors?: readonly Refusal[]
  /** The options of the URL by their names. */
  readonly query?: Readonly<Record<string, v.GenericSchema<string | undefined, unknown>>>
  readonly bodyReading?: BodyReading
  /**
   * Set for operations that set cookies or open a socket. Operations with a `type` are mounted by hand, too.
   */
  readonly isMountedByHand?: true
}

export type Contract = Readonly<Record<string, ContractOperation>>

type ParamNames<Path extends string> = Path extends `${string}:${infer Rest}`
  ? Rest extends `${infer Name}/${infer More}`
    ? Name | ParamNames<More>
    : Rest
  : never

export type Params<O extends ContractOperation> = Readonly<Record<ParamNames<O['path']>, string>>

/** Makes the lists and objects of a type readonly, because valibot infers mutable ones. */
export type Frozen<T> = T extends readonly (infer E)[]
  ? readonly Frozen<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T

/** If a handler returns a plain value, the answer has the first of these statuses that the contract has. */
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

/** The body as callers send it. */
export type Sent<O extends ContractOperation> = O extends { readonly body: v.GenericSchema<infer T, unknown> }
  ? Frozen<T>
  : undefined

/** The options of the URL after the check. */
export type QueryOf<O extends ContractOperation> = O extends { readonly query: infer Q }
  ? { readonly [N in keyof Q]: Q[N] extends v.GenericSchema<unknown, infer T> ? T : never }
  : unknown

const NEEDED = new WeakSet()

/** Marks a required field of an answer. If such a field is missing, the client refuses the whole answer. */
export function needed<S extends v.GenericSchema>(shape: S): S {
  // The mark is not valibot's own metadata, which would appear in the description of the interface.
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

/**
 * The objects that a caller with the role can reach. The route checks the scope, and answers as if objects
 * outside the scope were missing.
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

/** The first four words are hoop's. */
export const AUDIT_ACTIONS = [
  'create',
  'update',
  'delete',
  'sign-in',
  /** A user has read the object. */
  'view',
  'download',
  /** A session begins, or it waits for approval first. */
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
  'tools',
] as const
export type AuditType = (typeof AUDIT_TYPES)[number]

/** Verbs of the audit log, with the infinitives for what was tried or has only begun. */
export const AUDIT_VERBS = {
  activated: 'activate',
  approved: 'approve',
  'asked to': 'ask to',
  changed: 'change',
  checked: 'check',
  compared: 'compare',
  created: 'create',
  deactivated: 'deactivate',
  'decided on': 'decide on',
  deleted: 'delete',
  downloaded: 'download',
  exported: 'export',
  followed: 'follow',
  'looked at': 'look at',
  made: 'make',
  opened: 'open',
  paused: 'pause',
  ran: 'run',
  read: 'read',
  rejected: 'reject',
  reloaded: 'reload',
  removed: 'remove',
  resumed: 'resume',
  revoked: 'revoke',
  rotated: 'rotate',
  'signed in': 'sign in',
  'signed out': 'sign out',
  started: 'start',
  stopped: 'stop',
  tested: 'test',
  wrote: 'write',
} as const
type PastVerb = keyof typeof AUDIT_VERBS

/** What a user did, as the part of a sentence after the user's name, for example `approved a request`. */
export type AuditVerb = PastVerb | `${PastVerb} ${string}`

/** A field of the body decides which words an entry has. */
interface VerbByField {
  readonly field: string
  readonly values: Readonly<Record<string, AuditVerb>>
  readonly otherwise: AuditVerb
}

/**
 * Says how the operation is recorded in the audit log. `execute` is recorded together with the session that
 * begins. It has an entry of its own only if it is refused. `view`, `download` and `sign-in` are recorded
 * with their answer. Other actions are recorded before they are done. If they cannot be recorded, they are
 * refused.
 */
export interface Audited {
  readonly action: Exclude<AuditAction, 'start' | 'stop' | 'gap'>
  readonly type: AuditType
  /** The words for an entry of this operation, on the page, in the command line and in docs/rest.md. */
  readonly verb: AuditVerb | VerbByField
  /**
   * The operation ends or revokes something. It runs even if it cannot be recorded, and such an operation is
   * counted.
   */
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
   * Whether the operation accepts a sign-in by cookie. A thief of the cookie could otherwise create something
   * that outlives the cookie. `fresh` allows the operation for `FRESH_MINUTES` after the sign-in. `refused`
   * never allows it. Without a value, the cookie may do the same as the user's token.
   */
  readonly byCookie?: 'fresh' | 'refused'
  /**
   * Refuses machines, even machines that are admins: a machine that changes identities could become another
   * user.
   */
  readonly peopleOnly?: boolean
  /** Accepts only tokens for mcp, which no other operation accepts. */
  readonly isForMcp?: true
  /** Missing if the operation has no objects or if all callers can reach the same objects. */
  readonly scope?: OperationScope
  readonly audit: Audited | 'none'
  readonly body?: v.GenericSchema
  readonly query?: Readonly<Record<string, string>>
  /**
   * Shapes of the answers by status. These statuses are added: the errors of every route, `errors`, and 403
   * if the caller must sign in.
   */
  readonly answers: Readonly<Record<number, v.GenericSchema>>
  /**
   * Statuses of errors. A contract has codes instead of statuses. The statuses are derived from the codes.
   */
  readonly errors?: readonly number[]
  /** Set if the operation comes from a contract. */
  readonly codes?: readonly HttpCode[]
  /** The media type of an answer that is not JSON. */
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
  isForMcp,
}: Pick<Operation, 'role' | 'peopleOnly' | 'byCookie' | 'isForMcp'>): string {
  if (isForMcp === true) return 'machines, with a token for mcp alone'
  const kinds = peopleOnly ? ', except machines' : ''
  return `${ROLES[role]}${kinds}${byCookie === undefined ? '' : BY_COOKIE[byCookie]}`
}

/** Operations by method and path. The path has fastify's form. */
export type OperationTable = Readonly<Record<string, Operation>>

/**
 * Every route may answer these statuses, because they are decided before a route is found. An unknown token
 * gets 401, even if the route needs no token. After too many unknown tokens, the answer is 429.
 */
const ALWAYS = [400, 401, 408, 415, 417, 429, 431, 503]

export function errorStatuses({ role, body, errors = [], answers: own }: Operation): readonly number[] {
  const ofRole = role === 'public' ? [] : [403]
  const ofBodies = body === undefined ? [] : [413]
  const all = [...ofRole, ...ofBodies, ...errors, ...ALWAYS]
  return [...new Set(all)].filter((status) => own[status] === undefined).sort((a, b) => a - b)
}
