import { didYouMean } from '../../../basics/text/nearest.ts'
import { oneLine } from '../../../basics/text/one-line.ts'
import { parseDuration } from '../../../basics/text/units.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { call, type Read } from '../../../client/rest/call.ts'
import { userContract, type UserAnswer } from '../../../contract/users.ts'
import { exitCodes, Failure } from '../../failure.ts'

/** Explains an unknown user. @throws Failure with the name that was probably meant; ApiError */
export async function known<T>(account: Account, name: string, asked: Promise<T>): Promise<T> {
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

/** hoop's `name` is for display: users are known by their address. */
export function nameOf({ email, name }: Read<UserAnswer>): string {
  return email || name
}

/** @throws Failure */
export function secondsOf(flag: string, written: string): number {
  const ms = readQuantity(flag, parseDuration(written), 'a duration like 2h or 90d')
  return Math.floor(ms / 1000)
}

/** @throws Failure */
export function readQuantity(flag: string, value: number | undefined, form: string): number {
  if (value !== undefined && Number.isFinite(value)) return value
  throw new Failure(`${flag}: ${form} is expected`, exitCodes.usage)
}
