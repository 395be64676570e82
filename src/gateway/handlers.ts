import type { AnswerOf, BodyOf, Contract, ContractOperation, Params, QueryOf } from '../contract/contract.ts'
import type { AccessToken, GatewayUser } from './identity.ts'

/** A request that has passed the checks of its operation. */
export interface Asked<O extends ContractOperation> {
  readonly user: O['role'] extends 'public' ? undefined : GatewayUser
  readonly token: O['role'] extends 'public' ? undefined : AccessToken
  readonly params: Params<O>
  readonly query: QueryOf<O>
  readonly body: BodyOf<O>
  /** Names are in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** IP address of the sender. */
  readonly caller: string
  /** The name by which the caller has reached the gateway. */
  readonly hostname: string
}

interface ReplyFacts {
  readonly headers?: Readonly<Record<string, string>>
  /** The user who has signed in by this request, for the audit log. */
  readonly actor?: string
}

/**
 * An answer that is more than a body: it has a status, and may have headers, or a user whom the request has
 * signed in.
 */
export class Reply<S extends number, const T> {
  readonly status: S
  readonly body: T
  readonly headers: Readonly<Record<string, string>>
  readonly actor: string | undefined

  constructor(status: S, body: T, { headers = {}, actor }: ReplyFacts = {}) {
    this.status = status
    this.body = body
    this.headers = headers
    this.actor = actor
  }
}

/** The same status as `usualStatus` of the contract returns, as a type. */
type UsualOf<O extends ContractOperation> = 200 extends keyof O['answers']
  ? 200
  : 201 extends keyof O['answers']
    ? 201
    : 202 extends keyof O['answers']
      ? 202
      : 204
type Plain<O extends ContractOperation> = 204 extends UsualOf<O> ? undefined : AnswerOf<O, UsualOf<O>>
type Replies<O extends ContractOperation> = {
  [S in keyof O['answers'] & number]: Reply<S, AnswerOf<O, S>>
}[keyof O['answers'] & number]
type Answer<O extends ContractOperation> = Plain<O> | Replies<O>

type ByHand = { readonly type: string } | { readonly isMountedByHand: true }

/**
 * One function per operation of a contract. The functions know nothing of HTTP: `rest/mount.ts` serves them.
 * Operations that set cookies or do not answer with JSON are mounted by hand.
 */
export type Handlers<C extends Contract> = {
  readonly [Name in keyof C as C[Name] extends ByHand ? never : Name]: (
    asked: Asked<C[Name]>,
  ) => Answer<C[Name]> | Promise<Answer<C[Name]>>
}
