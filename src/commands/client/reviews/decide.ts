import { oneLine } from '../../../basics/text/one-line.ts'
import { printableJson } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/http/api-error.ts'
import { decideReview, type ReviewerDecision, type GatewayReview } from '../../../client/rest/reviews.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, type AskingFlags } from '../asking/asking.ts'
import { askedReview } from './find.ts'
import { outcomeText } from './texts.ts'

interface DecideFlags extends AskingFlags {
  readonly force?: boolean
  readonly quiet?: boolean
}

export interface ApproveFlags extends DecideFlags {
  readonly window?: string
}

export interface RejectFlags extends DecideFlags {
  readonly reason?: string
}

export async function approveCommand(id: string, flags: ApproveFlags): Promise<number> {
  const window = flags.window === undefined ? undefined : windowOf(flags.window)
  return decide('approve', id, { status: 'APPROVED', force: flags.force === true, window }, flags)
}

export async function rejectCommand(id: string, flags: RejectFlags): Promise<number> {
  const { reason } = flags
  return decide('reject', id, { status: 'REJECTED', force: flags.force === true, reason }, flags)
}

async function decide(
  verb: string,
  id: string,
  decision: ReviewerDecision,
  flags: DecideFlags,
): Promise<number> {
  return asking(flags.profile, `cannot ${verb} review ${id}`, async (account, stdout) => {
    const before = await askedReview(account, id)
    const after = await decided(account, before.id, decision)
    if (flags.json === true) await stdout.write(Buffer.from(`${printableJson(after.raw, 2)}\n`))
    checkEffect(before, after)
    if (flags.json !== true && flags.quiet !== true) process.stderr.write(`${outcomeText(after)}\n`)
  })
}

/** hoop's gateway answers faults of the caller with 500, and a text after this prefix. */
const HOOP_PREFIX = 'failed updating review status: '

async function decided(account: Account, id: string, decision: ReviewerDecision): Promise<GatewayReview> {
  try {
    return await decideReview(account, id, decision)
  } catch (error) {
    if (!(error instanceof ApiError) || !error.message.startsWith(HOOP_PREFIX)) throw error
    throw new ApiError('invalid', error.message.slice(HOOP_PREFIX.length), error)
  }
}

/** Gateways accept a decision of a user in none of the groups, and ignore it. @throws Failure for such a decision */
function checkEffect(before: GatewayReview, after: GatewayReview): void {
  const isSame = after.status === before.status && count(after) === count(before)
  if (!isSame || after.status !== 'PENDING') return
  const groups = after.groups.map(({ group }) => group).join(', ')
  throw new Failure(
    oneLine(
      `nothing has changed: ${groups} decide on it, and your decision does not count, or was counted before`,
    ),
    exitCodes.refused,
  )
}

function count({ groups }: GatewayReview): number {
  return groups.filter(({ status }) => status !== 'PENDING').length
}

const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d'
const WINDOW = new RegExp(`^(${TIME})-(${TIME})$`)

/** @throws Failure, exit code 64 */
export function windowOf(text: string): NonNullable<ReviewerDecision['window']> {
  const [, start, end] = WINDOW.exec(text) ?? []
  if (start !== undefined && end !== undefined && start !== end) return { start, end }
  throw new Failure('--window is two times of a day in UTC, such as 01:00-05:00', exitCodes.usage)
}
