import * as v from 'valibot'
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

/** Who may call an operation, as far as that can be said without knowing its object: checked in `access.ts`. */
const ROLES = {
  public: 'anybody, without a token',
  user: 'users',
  standard: 'users, except auditors, who only read',
  auditor: 'auditors and admins',
  admin: 'admins',
} as const
export type Role = keyof typeof ROLES

/** Which objects such a caller reaches: checked by the route, which knows them. Others read as missing. */
export const SCOPES = {
  connection: 'of connections that the caller may see',
  scheduled: 'of connections that the caller may see; auditors and admins: all',
  concerned: "the caller's own, and those that the caller's groups review; auditors and admins: all",
  seen: "the caller's own, those that the caller's groups review, and those that the setting `sessions` of their connection opens to the caller; auditors and admins: all",
  read: "the caller's own, and those that the setting `sessions` of their connection opens to the caller; auditors and admins: all",
  end: "the caller's own; admins: all",
  tokens: "the caller's own; admins who are people: all",
  own: "the caller's own",
  link: 'the one of the link',
} as const
export type OperationScope = keyof typeof SCOPES

/** What happened, for the audit log. hoop has the first four words. */
export type AuditAction =
  | 'create'
  | 'update'
  | 'delete'
  | 'sign-in'
  /** A user has read the object. */
  | 'view'
  | 'download'
  /** A session begins, or waits for people first. */
  | 'execute'
  /** An approved session is run. */
  | 'run'
  | 'kill'
  | 'decide'
  | 'start'
  | 'stop'
  | 'reload'
  /** Entries that could not be written. */
  | 'gap'

/** The kind of object of the audit log's entry. */
export type AuditType =
  | 'sessions'
  | 'batches'
  | 'schedules'
  | 'reviews'
  | 'users'
  | 'user_groups'
  | 'service_accounts'
  | 'tokens'
  | 'api_keys'
  | 'settings'
  | 'backups'
  | 'webhooks'
  | 'gateway'
  | 'audit'

/**
 * What the audit log says of a call. `execute` stands there with the session that begins, and here only where it was
 * refused. `view`, `download` and `sign-in` are noted with their answer. All others are written before they happen, and
 * are refused where they cannot be.
 */
interface Audited {
  readonly action: Exclude<AuditAction, 'start' | 'stop' | 'gap'>
  readonly type: AuditType
  /** It ends or revokes something, and does so where it cannot be written, too: then it is counted. */
  readonly takesAway?: true
}

/** Who may call a route, what the audit log says of it, and what its caller has to know. */
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
  /** What the reader of its summary would ask next. */
  readonly description?: string
  readonly role: Role
  /**
   * What the page's cookie is good for here, since a thief of the cookie could make something that outlives it. `fresh`:
   * for the time after its sign-in that `FRESH_MINUTES` says. `refused`: for nothing. Missing: for all that its user may.
   */
  readonly byCookie?: 'fresh' | 'refused'
  /**
   * Refused to machines, admins included: by an identity that it makes or changes, a machine could become another one.
   */
  readonly peopleOnly?: boolean
  /** Missing: it has no objects, or the same for everybody. */
  readonly scope?: OperationScope
  readonly audit: Audited | 'none'
  readonly body?: v.GenericSchema
  readonly query?: Readonly<Record<string, string>>
  /** By status. Errors are added by themselves: those of every route, 403 where one has to sign in, and `errors`. */
  readonly answers: Readonly<Record<number, v.GenericSchema>>
  /** Statuses of errors. A contract names the codes instead (`contract.ts`), and the statuses follow from them. */
  readonly errors?: readonly number[]
  /** The codes of these errors, where a contract has them. */
  readonly codes?: readonly HttpCode[]
  /** The type of an answer that is not JSON. */
  readonly type?: string
}

/** How long after the sign-in a browser may change users and tokens. */
export const FRESH_MINUTES = 10

const BY_COOKIE = {
  fresh: `, on the page within ${FRESH_MINUTES} minutes after the sign-in`,
  refused: ', by a token, not from the page',
} as const

/** For readers: who may call an operation, before its objects are looked at. */
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
 * The statuses that every route may answer, since they are decided before a route is found. An unknown token is 401, also
 * where the route needs none, and 429 after too many of them.
 */
const ALWAYS = [400, 401, 408, 415, 417, 429, 431, 503]

/** The statuses of its errors. */
export function errorStatuses({ role, body, errors = [], answers: own }: Operation): readonly number[] {
  const ofRole = role === 'public' ? [] : [403]
  const ofBodies = body === undefined ? [] : [413]
  const all = [...ofRole, ...ofBodies, ...errors, ...ALWAYS]
  return [...new Set(all)].filter((status) => own[status] === undefined).sort((a, b) => a - b)
}
