import { hostname, userInfo } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { oneLine } from '../../../basics/text/one-line.ts'
import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/http/api-error.ts'
import { beginDeviceSignIn, deviceToken, type DeviceSignIn } from '../../../client/rest/sign-in.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { webLink } from './web-link.ts'

/** A gateway that says otherwise is not asked more often, or for ever. */
const SHORTEST_PAUSE_MS = 1000
const LONGEST_MS = 30 * 60 * 1000

/** For a machine without a browser: a person signs in with any other. @returns the token @throws Failure, ApiError */
export async function signInElsewhere(account: Account): Promise<string> {
  const begun = await beginDeviceSignIn(account, `${userInfo().username} on ${hostname()}`.slice(0, 200))
  const page = webLink(begun.page)
  process.stderr.write(
    `open this in any browser, and compare the code there: ${oneLine(begun.code)}\n  ${page}\n`,
  )
  const endsAt = performance.now() + Math.min(begun.lifetimeMs, LONGEST_MS)
  while (performance.now() < endsAt) {
    await pause(Math.max(SHORTEST_PAUSE_MS, begun.pauseMs))
    const token = await tokenIfThere(account, begun)
    if (token !== undefined) return token
  }
  throw new Failure('nobody has signed in in time: begin again', exitCodes.refused)
}

/** A connection that broke is tried again: the person may take minutes. */
async function tokenIfThere(account: Account, begun: DeviceSignIn): Promise<string | undefined> {
  try {
    return await deviceToken(account, begun)
  } catch (error) {
    if (error instanceof ApiError && (error.kind === 'unreachable' || error.kind === 'busy')) return undefined
    throw error
  }
}
