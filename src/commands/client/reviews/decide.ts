import { oneLine } from '../../../basics/text/one-line.ts'
import { printableJson } from '../../../basics/text/printable.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { call } from '../../../client/rest/call.ts'
import { groupNames, type Review } from '../../../client/rest/reviews.ts'
import type { Sent } from '../../../contract/contract.ts'
import { reviewContract } from '../../../contract/reviews.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { asking, type AskingFlags } from '../asking/asking.ts'
import { askedReview } from './find.ts'
import { outcomeText } from './texts.ts'

type Decision = Sent<typeof reviewContract.decide>

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
  const { window } = flags
  const given = window !== undefined && { time_window: windowIn(window) }
  return decide('approve', id, { status: 'APPROVED', ...given }, flags)
}

export async function rejectCommand(id: string, flags: RejectFlags): Promise<number> {
  const { reason } = flags
  const given = reason !== undefined && { rejection_reason: reason }
  return decide('reject', id, { status: 'REJECTED', ...given }, flags)
}

async function decide(verb: string, id: string, decision: Decision, flags: DecideFlags): Promise<number> {
  return asking(flags.profile, `cannot ${verb} review ${id}`, async (account, stdout) => {
    const before = await askedReview(account, id)
    const after = await decided(account, before.id, {
      ...decision,
      ...(flags.force === true && { force_review: true }),
    })
    if (flags.json === true) await stdout.write(Buffer.from(`${printableJson(after.raw, 2)}\n`))
    checkEffect(before, after)
    if (flags.json !== true && flags.quiet !== true) process.stderr.write(`${outcomeText(after)}\n`)
  })
}

/** hoop's gateway answers faults of the caller with 500, and a text after this prefix. */
const HOOP_PREFIX = 'failed updating review status: '

async function decided(account: Account, id: string, body: Decision): Promise<Review> {
  try {
    return await call(account, reviewContract.decide, { id }, { body })
  } catch (error) {
    if (!(error instanceof ApiError) || !error.message.startsWith(HOOP_PREFIX)) throw error
    throw new ApiError('invalid', error.message.slice(HOOP_PREFIX.length), error)
  }
}

/** Gateways accept a decision of a user in none of the groups, and ignore it. @throws Failure for such a decision */
function checkEffect(before: Review, after: Review): void {
  const isSame = after.status === before.status && count(after) === count(before)
  if (!isSame || after.status !== 'PENDING') return
  const groups = groupNames(after).join(', ')
  throw new Failure(
    oneLine(
      `nothing has changed: ${groups} decide on it, and your decision does not count, or was counted before`,
    ),
    exitCodes.refused,
  )
}

function count({ review_groups_data: groups }: Review): number {
  return groups.filter(({ status }) => status !== 'PENDING').length
}

const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d'
const WINDOW = new RegExp(`^(${TIME})-(${TIME})$`)

/** The window as hoop's gateway wants it: ours needs no type. @throws Failure, exit code 64 */
function windowIn(text: string): object {
  const [, start, end] = WINDOW.exec(text) ?? []
  if (start !== undefined && end !== undefined && start !== end)
    return { type: 'time_range', configuration: { start_time: start, end_time: end } }
  throw new Failure('--window is two times of a day in UTC, such as 01:00-05:00', exitCodes.usage)
}
