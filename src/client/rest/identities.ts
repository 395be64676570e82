import * as v from 'valibot'
import type { Account } from '../account/account.ts'
import { askJson, askWell, discardBody } from './http/json.ts'

/** A user of a gateway. Make its texts printable before you show them. */
export interface ListedUser {
  readonly name: string
  readonly kind: string
  readonly status: string
  readonly role: string
  readonly groups: readonly string[]
  /** Stands in the gateway's settings, and is changed there. */
  readonly isDeclared: boolean
  readonly raw: object
}

/** A token of a gateway, without its text. */
export interface ListedToken {
  readonly id: string
  readonly name: string
  readonly user: string
  readonly status: string
  readonly expiresAt: string
  readonly lastUsedAt: string
  readonly isDeclared: boolean
  readonly raw: object
}

const Word = v.nullish(v.fallback(v.string(), ''), '')
const Raw = v.looseObject({})
const List = v.nullable(v.array(Raw))
const User = v.object({
  ...{ name: Word, email: Word, kind: Word, status: Word, role: Word },
  groups: v.fallback(v.nullish(v.array(v.string()), []), []),
  declared: v.fallback(v.boolean(), false),
})
const Token = v.object({
  ...{ id: Word, name: Word, user: Word, status: Word, expires_at: Word, last_used_at: Word },
  declared: v.fallback(v.boolean(), false),
})

/** @throws ApiError */
export async function listUsers(account: Account): Promise<readonly ListedUser[]> {
  const { value } = await askJson(account, { method: 'GET', path: '/api/users' }, List)
  return (value ?? []).map(toUser)
}

/** @throws ApiError */
export async function fetchListedUser(account: Account, name: string): Promise<ListedUser> {
  return toUser((await askJson(account, { method: 'GET', path: userPath(name) }, Raw)).value)
}

/** @param asked as in the body of `POST /api/users` @throws ApiError */
export async function createUser(account: Account, asked: object): Promise<ListedUser> {
  return toUser((await askJson(account, { method: 'POST', path: '/api/users', body: asked }, Raw)).value)
}

/** @param change as in the body of `PUT /api/users/NAME` @throws ApiError */
export async function changeUser(account: Account, name: string, change: object): Promise<ListedUser> {
  return toUser((await askJson(account, { method: 'PUT', path: userPath(name), body: change }, Raw)).value)
}

/** @throws ApiError */
export async function deleteUser(account: Account, name: string): Promise<void> {
  await discardBody(await askWell(account, { method: 'DELETE', path: userPath(name) }))
}

/** Those that one may see. @throws ApiError */
export async function listTokens(account: Account): Promise<readonly ListedToken[]> {
  const { value } = await askJson(account, { method: 'GET', path: '/api/tokens' }, List)
  return (value ?? []).map(toToken)
}

/** A token that was just made. */
export interface MadeToken {
  readonly listed: ListedToken
  readonly text: string
}

/** @param asked as in the body of `POST /api/tokens` @throws ApiError */
export function createToken(account: Account, asked: object): Promise<MadeToken> {
  return made(account, '/api/tokens', asked)
}

/** @param asked as in the body of `POST /api/tokens/ID/rotate` @throws ApiError */
export function rotateToken(account: Account, id: string, asked: object): Promise<MadeToken> {
  return made(account, `${tokenPath(id)}/rotate`, asked)
}

/** @throws ApiError */
export async function revokeToken(account: Account, id: string): Promise<void> {
  await discardBody(await askWell(account, { method: 'DELETE', path: tokenPath(id) }))
}

async function made(account: Account, path: string, body: object): Promise<MadeToken> {
  const Made = v.looseObject({ token: v.string() })
  const { value } = await askJson(account, { method: 'POST', path, body }, Made)
  return { listed: toToken(value), text: value.token }
}

function userPath(name: string): string {
  return `/api/users/${encodeURIComponent(name)}`
}

function tokenPath(id: string): string {
  return `/api/tokens/${encodeURIComponent(id)}`
}

function toUser(raw: object): ListedUser {
  const { name, email, declared, ...user } = v.parse(User, raw)
  return { ...user, name: email || name, isDeclared: declared, raw }
}

function toToken(raw: object): ListedToken {
  const { expires_at: expiresAt, last_used_at: lastUsedAt, declared, ...token } = v.parse(Token, raw)
  return { ...token, expiresAt, lastUsedAt, isDeclared: declared, raw }
}
