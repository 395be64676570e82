import { didYouMean } from '../../basics/text/nearest.ts'
import { oneLine } from '../../basics/text/printable.ts'
import { itemTable, type ItemColumn } from '../../basics/text/table.ts'
import { parseSize, parseDuration } from '../../basics/text/units.ts'
import type { Account } from '../../client/account/account.ts'
import { ApiError } from '../../client/rest/api-error.ts'
import { call, type Read } from '../../client/rest/call.ts'
import { accessContract, type AccessExplanation } from '../../contract/access.ts'
import type { Sent } from '../../contract/contract.ts'
import { tokenContract, type IssuedTokenAnswer, type TokenAnswer } from '../../contract/tokens.ts'
import { userContract, type UserAnswer } from '../../contract/users.ts'
import { exitCodes, Failure } from '../exit-codes.ts'
import {
  asking,
  factLines,
  printAnswer,
  type AskingFlags,
  listingCommand,
  type ListingFlags,
  showingCommand,
  unlessLacking,
} from './asking/asking.ts'

export interface UserFlags extends AskingFlags {
  readonly group?: readonly string[]
  readonly groups?: boolean
  readonly kind?: 'person' | 'machine'
  readonly takeOver?: boolean
  readonly budget?: boolean
  readonly runs?: string
  readonly bytes?: string
  readonly hours?: string
  readonly per?: string
  readonly activate?: boolean
  readonly deactivate?: boolean
  readonly quiet?: boolean
}

type ListedUser = Read<UserAnswer>

const USER_COLUMNS: readonly ItemColumn<ListedUser>[] = [
  { heading: 'NAME', shrinks: 'last', of: nameOf },
  { heading: 'KIND', of: ({ kind }) => kind },
  { heading: 'STATUS', of: ({ status }) => status },
  { heading: 'GROUPS', shrinks: true, leftOut: 2, of: ({ groups }) => groups.join(', ') },
  { heading: 'FROM', leftOut: 1, of: ({ declared }) => (declared ? 'gateway.yaml' : 'state') },
]
const USER_LIST = {
  things: 'users',
  endpoint: 'GET /api/users',
  fetch: (account: Account) => call(account, userContract.list, {}),
  columns: USER_COLUMNS,
}

export function usersCommand(flags: ListingFlags): Promise<number> {
  return listingCommand(flags, USER_LIST)
}

export async function userCommand(name: string, flags: AskingFlags): Promise<number> {
  return asking(flags.profile, `cannot show user ${name}`, async (account, stdout) => {
    const user = await known(account, name, call(account, userContract.show, { name }))
    const tokens = (await call(account, tokenContract.list, {})).filter((token) => token.user === name)
    const details = (width: number) => `${userDetails(user)}\n${itemTable(TOKEN_COLUMNS, tokens, width)}`
    const raw = { ...user.raw, tokens: tokens.map((token) => token.raw) }
    await printAnswer(flags, raw, details, stdout)
  })
}

function userDetails(user: ListedUser): string {
  const { kind, status, role, groups, declared } = user
  return factLines([
    ['user', nameOf(user)],
    ['kind', kind],
    ['status', status],
    ['role', role],
    ['groups', groups.join(', ')],
    ['from', declared ? 'gateway.yaml: change the user in this file' : 'the state of the gateway'],
  ])
}

export async function createUserCommand(name: string, flags: UserFlags): Promise<number> {
  const { kind = 'person', group: groups = [], takeOver = false } = flags
  const budget = budgetOf(flags)
  const body = { email: name, kind, groups, take_over: takeOver, ...(budget !== undefined && { budget }) }
  return changing(name, 'create', flags, (account) => call(account, userContract.create, {}, { body }))
}

export async function changeUserCommand(name: string, flags: UserFlags): Promise<number> {
  const body = changeOf(flags)
  if (Object.keys(body).length === 0)
    throw new Failure('no change was given: --help shows the options', exitCodes.usage)
  return changing(name, 'change', flags, (account) =>
    known(account, name, call(account, userContract.change, { name }, { body })),
  )
}

function changeOf(flags: UserFlags): Sent<typeof userContract.change> {
  const { activate, deactivate, group } = flags
  if (activate === true && deactivate === true)
    throw new Failure('use either --activate or --deactivate, not both', exitCodes.usage)
  const groups = flags.groups === false ? [] : group
  const budget = flags.budget === false ? null : budgetOf(flags)
  return {
    ...(activate === true && { status: 'active' }),
    ...(deactivate === true && { status: 'inactive' }),
    ...(groups !== undefined && { groups }),
    ...(budget !== undefined && { budget }),
  }
}

export async function deleteUserCommand(name: string, flags: UserFlags): Promise<number> {
  return asking(flags.profile, `cannot delete user ${name}`, async (account, stdout) => {
    await known(account, name, call(account, userContract.remove, { name }))
    if (flags.quiet !== true) await stdout.write(Buffer.from(`user ${oneLine(name)} deleted\n`))
  })
}

async function changing(
  name: string,
  doing: 'create' | 'change',
  flags: UserFlags,
  change: (account: Account) => Promise<ListedUser>,
): Promise<number> {
  return asking(flags.profile, `cannot ${doing} user ${name}`, async (account, stdout) => {
    const user = await change(account)
    if (flags.json === true) return printAnswer(flags, user.raw, () => '', stdout)
    const next = doing === 'create' ? `: runbook-agent token create --user ${nameOf(user)} --name NAME` : ''
    const text = `user ${nameOf(user)} ${doing}d${next}`
    if (flags.quiet !== true) await stdout.write(Buffer.from(`${oneLine(text)}\n`))
  })
}

/** Returns undefined if no flag for the budget was given. @throws Failure */
function budgetOf({ runs, bytes, hours, per }: UserFlags): Sent<typeof userContract.create>['budget'] {
  if ([runs, bytes, hours, per].every((flag) => flag === undefined)) return undefined
  return {
    ...(runs !== undefined && { runs: readQuantity('--runs', Number(runs), 'a number') }),
    ...(bytes !== undefined && { bytes: readQuantity('--bytes', parseSize(bytes), 'a size like 1GiB') }),
    ...(hours !== undefined && { hours: readQuantity('--hours', Number(hours), 'a number') }),
    ...(per !== undefined && { per: secondsOf('--per', per) }),
  }
}

export interface TokenFlags extends ListingFlags {
  readonly user?: string
  readonly name?: string
  readonly expires?: string
  readonly overlap?: string
  readonly for?: 'mcp'
  readonly quiet?: boolean
}

type ListedToken = Read<TokenAnswer>

const TOKEN_COLUMNS: readonly ItemColumn<ListedToken>[] = [
  { heading: 'USER', shrinks: true, of: ({ user }) => user },
  { heading: 'TOKEN', shrinks: 'last', of: ({ name }) => name },
  { heading: 'STATUS', of: ({ status, paused_at: paused }) => (paused === '' ? status : 'paused') },
  { heading: 'FOR', leftOut: 4, of: ({ for: use }) => use },
  { heading: 'EXPIRES', leftOut: 3, of: ({ expires_at: at }) => minute(at) || 'never' },
  { heading: 'LAST USE', leftOut: 2, of: ({ last_used_at: at }) => minute(at) },
  { heading: 'ID', leftOut: 1, of: ({ id }) => id },
]
const TOKEN_LIST = { things: 'tokens', endpoint: 'GET /api/tokens' }

export async function tokensCommand(flags: TokenFlags): Promise<number> {
  const fetch = (account: Account) => fetchTokens(account, flags.user)
  return listingCommand(flags, { ...TOKEN_LIST, fetch, columns: TOKEN_COLUMNS })
}

function minute(time: string): string {
  return time.slice(0, 16).replace('T', ' ')
}

/** Prints only the token on stdout, so that a file or a pipe can take it. */
export async function createTokenCommand(flags: TokenFlags): Promise<number> {
  const { name = '', user, expires, for: use } = flags
  const body = {
    name,
    ...(user !== undefined && { user }),
    ...(use !== undefined && { for: use }),
    ...(expires !== undefined && { expires_in: secondsOf('--expires', expires) }),
  }
  return making(`cannot create token ${name}`, flags, (account) =>
    known(account, user ?? '', call(account, tokenContract.create, {}, { body })),
  )
}

export async function rotateTokenCommand(name: string, flags: TokenFlags): Promise<number> {
  const { overlap, expires } = flags
  const body = {
    ...(overlap !== undefined && { overlap: secondsOf('--overlap', overlap) }),
    ...(expires !== undefined && { expires_in: secondsOf('--expires', expires) }),
  }
  return making(`cannot rotate token ${name}`, flags, async (account) => {
    const { id } = await tokenNamed(account, name, flags.user)
    return call(account, tokenContract.rotate, { id }, { body })
  })
}

export async function revokeTokenCommand(name: string, flags: TokenFlags): Promise<number> {
  return asking(flags.profile, `cannot revoke token ${name}`, async (account, stdout) => {
    const token = await tokenNamed(account, name, flags.user)
    for (const { id } of await withReplaced(account, token, name))
      await call(account, tokenContract.revoke, { id })
    const text = `token ${token.name} of ${token.user} revoked`
    if (flags.quiet !== true) await stdout.write(Buffer.from(`${oneLine(text)}\n`))
  })
}

export async function pauseTokenCommand(
  word: 'pause' | 'resume',
  name: string,
  flags: TokenFlags,
): Promise<number> {
  return asking(flags.profile, `cannot ${word} token ${name}`, async (account, stdout) => {
    const token = await tokenNamed(account, name, flags.user)
    await call(account, tokenContract[word], { id: token.id })
    const text = `token ${token.name} of ${token.user} ${word}d`
    if (flags.quiet !== true) await stdout.write(Buffer.from(`${oneLine(text)}\n`))
  })
}

/** A name means the older tokens of rotations, too, which are accepted until their overlap ends. An id means one. */
async function withReplaced(
  account: Account,
  token: ListedToken,
  name: string,
): Promise<readonly ListedToken[]> {
  if (token.id === name) return [token]
  const replaced = (await fetchTokens(account, token.user)).filter(
    ({ name: other, status, raw }) => other === token.name && status === 'active' && 'replaced_by' in raw,
  )
  return [...replaced, token]
}

async function making(
  doing: string,
  flags: TokenFlags,
  make: (account: Account) => Promise<Read<IssuedTokenAnswer>>,
): Promise<number> {
  return asking(flags.profile, doing, async (account, stdout) => {
    const { token, raw } = await make(account)
    if (flags.json === true) return printAnswer(flags, raw, () => '', stdout)
    await stdout.write(Buffer.from(`${oneLine(token)}\n`))
  })
}

async function fetchTokens(account: Account, user: string | undefined): Promise<readonly ListedToken[]> {
  const tokens = await unlessLacking(account, TOKEN_LIST, call(account, tokenContract.list, {}))
  return tokens.filter((token) => user === undefined || token.user === user)
}

/** Finds a token by its id, or by its name among the active tokens. @throws Failure; ApiError */
async function tokenNamed(account: Account, name: string, user: string | undefined): Promise<ListedToken> {
  const tokens = await fetchTokens(account, user)
  const byId = tokens.find(({ id }) => id === name)
  if (byId !== undefined) return byId
  const accepted = tokens.filter(({ status, raw }) => status === 'active' && !('replaced_by' in raw))
  const [only, ...others] = accepted.filter((token) => token.name === name)
  if (only === undefined) throw noneNamed(name, accepted)
  if (others.length === 0) return only
  const owners = [only, ...others].map((token) => token.user).join(', ')
  throw new Failure(
    `${others.length + 1} tokens have the name ${oneLine(name)}: choose an owner with --user (${oneLine(owners)})`,
    exitCodes.usage,
  )
}

function noneNamed(name: string, tokens: readonly ListedToken[]): Failure {
  const meant = didYouMean(
    name,
    tokens.map((token) => token.name),
  )
  const hint = meant === undefined ? '' : `: ${oneLine(meant)}`
  return new Failure(`no active token has the name ${oneLine(name)}${hint}`, exitCodes.usage)
}

/** Suggests a similar name for an unknown user. @throws Failure; ApiError */
async function known<T>(account: Account, name: string, asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'user-not-found') throw error
    const names = (await call(account, userContract.list, {})).map(nameOf)
    const meant = didYouMean(name, names)
    const hint = meant === undefined ? '' : `: ${oneLine(meant)}`
    throw new Failure(`the gateway has no user ${oneLine(name)}${hint}`, exitCodes.usage)
  }
}

/** Prefers the email, because `name` of hoop's gateway is only for display. */
function nameOf({ email, name }: Read<UserAnswer>): string {
  return email || name
}

/** @throws Failure */
function secondsOf(flag: string, written: string): number {
  const ms = readQuantity(flag, parseDuration(written), 'a duration like 2h or 90d')
  return Math.floor(ms / 1000)
}

/** @throws Failure */
function readQuantity(flag: string, value: number | undefined, form: string): number {
  if (value !== undefined && Number.isFinite(value)) return value
  throw new Failure(`the value of ${flag} must be ${form}`, exitCodes.usage)
}

export interface AccessFlags extends AskingFlags {
  readonly runbook?: string
}

export async function accessCommand(name: string, connection: string, flags: AccessFlags): Promise<number> {
  const query = flags.runbook === undefined ? {} : { runbook: flags.runbook }
  const lacking = { things: 'explanations of access', endpoint: 'GET /api/access/NAME/CONNECTION' }
  return showingCommand(
    flags,
    oneLine(`cannot explain what ${name} may do on ${connection}`),
    (account) =>
      unlessLacking(account, lacking, call(account, accessContract.explain, { name, connection }, { query })),
    accessText,
  )
}

function accessText({ user, connection, text, uses }: Read<AccessExplanation>): string {
  return factLines([
    ['user', user],
    ['connection', connection],
    ['access', text],
    ['runbooks', useText(uses?.runbooks)],
    ['exec', useText(uses?.exec)],
    ['terminal', useText(uses?.connect)],
    ['port', useText(uses?.port)],
  ])
}

type ReadUse = NonNullable<Read<AccessExplanation>['uses']>['exec']

function useText(use: ReadUse): string {
  return use?.verdict ?? ''
}
