import { oneLine } from '../../../basics/text/one-line.ts'
import { itemTable, type ItemColumn } from '../../../basics/text/table.ts'
import { parseSize } from '../../../basics/text/units.ts'
import type { Account } from '../../../client/account/account.ts'
import { call, type Read } from '../../../client/rest/call.ts'
import type { Sent } from '../../../contract/contract.ts'
import { tokenContract } from '../../../contract/tokens.ts'
import { userContract, type UserAnswer } from '../../../contract/users.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, factLines, printAnswer, type AskingFlags, listingCommand } from '../asking/asking.ts'
import { known, nameOf, readQuantity, secondsOf } from './given.ts'
import { TOKEN_COLUMNS } from './tokens.ts'

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

const COLUMNS: readonly ItemColumn<ListedUser>[] = [
  { heading: 'NAME', shrinks: true, of: nameOf },
  { heading: 'KIND', of: ({ kind }) => kind },
  { heading: 'STATUS', of: ({ status }) => status },
  { heading: 'GROUPS', shrinks: true, leftOut: 2, of: ({ groups }) => groups.join(', ') },
  { heading: 'FROM', leftOut: 1, of: ({ declared }) => (declared ? 'gateway.yaml' : 'state') },
]
const LIST = {
  things: 'users',
  endpoint: 'GET /api/users',
  fetch: (account: Account) => call(account, userContract.list, {}),
  columns: COLUMNS,
}

export function usersCommand(flags: AskingFlags): Promise<number> {
  return listingCommand(flags, LIST)
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
    ['from', declared ? 'gateway.yaml: it is changed there' : 'the state of the gateway'],
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
    throw new Failure('nothing to change: --help shows the options', exitCodes.usage)
  return changing(name, 'change', flags, (account) =>
    known(account, name, call(account, userContract.change, { name }, { body })),
  )
}

function changeOf(flags: UserFlags): Sent<typeof userContract.change> {
  const { activate, deactivate, group } = flags
  if (activate === true && deactivate === true)
    throw new Failure('--activate or --deactivate, not both', exitCodes.usage)
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

/** The budget that the flags name; undefined when no flag is about a budget. @throws Failure */
function budgetOf({ runs, bytes, hours, per }: UserFlags): Sent<typeof userContract.create>['budget'] {
  if ([runs, bytes, hours, per].every((flag) => flag === undefined)) return undefined
  return {
    ...(runs !== undefined && { runs: readQuantity('--runs', Number(runs), 'a number') }),
    ...(bytes !== undefined && { bytes: readQuantity('--bytes', parseSize(bytes), 'a size like 1GiB') }),
    ...(hours !== undefined && { hours: readQuantity('--hours', Number(hours), 'a number') }),
    ...(per !== undefined && { per: secondsOf('--per', per) }),
  }
}
