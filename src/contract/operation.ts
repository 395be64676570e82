import type * as v from 'valibot'
import type { HttpCode } from './statuses.ts'

/** Who may call an operation, as far as that can be said without knowing its object: checked in `access.ts`. */
const ROLES = {
  public: 'anybody, without a token',
  user: 'users',
  standard: 'users, but no auditors: they only read',
  auditor: 'auditors and admins',
  admin: 'admins',
} as const
export type Role = keyof typeof ROLES

/** Which objects such a caller reaches: checked by the route, which knows them. Others read as missing. */
export const SCOPES = {
  connection: 'of connections that one may see',
  scheduled: 'of connections that one may see; auditors and admins: all',
  concerned: "one's own, and those that one's groups review; auditors and admins: all",
  seen: "one's own, those that one's groups review, and those that their connection opens (`sessions`); auditors and admins: all",
  read: "one's own, and those that their connection opens (`sessions`); auditors and admins: all",
  end: "one's own; admins: all",
  tokens: "one's own; admins who are no machines: all",
  own: "one's own",
  link: 'that of the link',
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
  /** Not for the page's cookie: who steals it could make himself something that outlives it. */
  readonly tokenOnly?: boolean
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

/** For readers: who may call an operation, before its objects are looked at. */
export function callersOf({ role, peopleOnly }: Pick<Operation, 'role' | 'peopleOnly'>): string {
  return peopleOnly === true ? `${ROLES[role]}, but no machines` : ROLES[role]
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
