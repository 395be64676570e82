import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine } from '../../../basics/text/one-line.ts'
import type { ItemColumn } from '../../../basics/text/table.ts'
import type { Account } from '../../../client/account/account.ts'
import { call, type Read } from '../../../client/rest/call.ts'
import { tokenContract, type IssuedTokenAnswer, type TokenAnswer } from '../../../contract/tokens.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, printAnswer, unlessLacking, type AskingFlags, listingCommand } from '../asking/asking.ts'
import { known, secondsOf } from './given.ts'

export interface TokenFlags extends AskingFlags {
  readonly user?: string
  readonly name?: string
  readonly expires?: string
  readonly overlap?: string
  readonly quiet?: boolean
}

type ListedToken = Read<TokenAnswer>

export const TOKEN_COLUMNS: readonly ItemColumn<ListedToken>[] = [
  { heading: 'USER', shrinks: true, of: ({ user }) => user },
  { heading: 'TOKEN', shrinks: true, of: ({ name }) => name },
  { heading: 'STATUS', of: ({ status }) => status },
  { heading: 'EXPIRES', leftOut: 3, of: ({ expires_at: at }) => minute(at) || 'never' },
  { heading: 'LAST USE', leftOut: 2, of: ({ last_used_at: at }) => minute(at) },
  { heading: 'ID', leftOut: 1, of: ({ id }) => id },
]
const LIST = { things: 'tokens', endpoint: 'GET /api/tokens' }

export async function tokensCommand(flags: TokenFlags): Promise<number> {
  const fetch = (account: Account) => tokensOf(account, flags.user)
  return listingCommand(flags, { ...LIST, fetch, columns: TOKEN_COLUMNS })
}

function minute(time: string): string {
  return time.slice(0, 16).replace('T', ' ')
}

/** `runbook-agent token create`: the token alone on standard output, for a file or a pipe. */
export async function createTokenCommand(flags: TokenFlags): Promise<number> {
  const { name = '', user, expires } = flags
  const body = {
    name,
    ...(user !== undefined && { user }),
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
    await call(account, tokenContract.revoke, { id: token.id })
    const text = `token ${token.name} of ${token.user} revoked`
    if (flags.quiet !== true) await stdout.write(Buffer.from(`${oneLine(text)}\n`))
  })
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

async function tokensOf(account: Account, user: string | undefined): Promise<readonly ListedToken[]> {
  const tokens = await unlessLacking(account, LIST, call(account, tokenContract.list, {}))
  return tokens.filter((token) => user === undefined || token.user === user)
}

/** Finds a token by its id, or by its name among the active tokens. @throws Failure; ApiError */
async function tokenNamed(account: Account, name: string, user: string | undefined): Promise<ListedToken> {
  const tokens = await tokensOf(account, user)
  const byId = tokens.find(({ id }) => id === name)
  if (byId !== undefined) return byId
  const accepted = tokens.filter(({ status, raw }) => status === 'active' && !('replaced_by' in raw))
  const [only, ...others] = accepted.filter((token) => token.name === name)
  if (only === undefined) throw noneNamed(name, accepted)
  if (others.length === 0) return only
  const owners = [only, ...others].map((token) => token.user).join(', ')
  throw new Failure(
    `${others.length + 1} tokens have the name ${oneLine(name)}: choose the user with --user (${oneLine(owners)})`,
    exitCodes.usage,
  )
}

function noneNamed(name: string, tokens: readonly ListedToken[]): Failure {
  const meant = didYouMean(
    name,
    tokens.map((token) => token.name),
  )
  const hint = meant === undefined ? '' : `: ${oneLine(meant)}`
  return new Failure(`there is no active token ${oneLine(name)}${hint}`, exitCodes.usage)
}
