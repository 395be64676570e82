import { oneLine } from '../../../basics/text/one-line.ts'
import {
  removeAccountFile,
  type StoredAccount,
  currentProfile,
  DEFAULT_PROFILE,
  keepCurrentProfile,
} from '../../../client/account/account-file.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { endSignIn } from '../../../client/rest/gateway.ts'
import { explain, Failure } from '../../failure.ts'
import {
  accountFile,
  chosenProfile,
  readAccount,
  storedAccount,
  unknownProfile,
} from '../asking/account-from-env.ts'

/**
 * `runbook-agent logout`: removes the stored token. The token of a sign-in is ended; the gateway still accepts others.
 */
export async function logoutCommand(flags: {
  readonly profile?: string
  readonly quiet?: boolean
}): Promise<void> {
  const { name, file, isNamed } = chosenProfile(flags.profile)
  const wasUsed = name !== DEFAULT_PROFILE && name === currentProfile(accountFile())
  const ended = await endedSignIn(name)
  const isRemoved = removed(file, wasUsed)
  if (!isRemoved && isNamed && name !== DEFAULT_PROFILE) throw unknownProfile(name)
  if (flags.quiet === true) return
  process.stderr.write(
    isRemoved ? `signed out: removed ${file}${ended}\n` : `not signed in: there is no ${file}\n`,
  )
  if (wasUsed) process.stderr.write(`profile ${DEFAULT_PROFILE} is selected again\n`)
}

function removed(file: string, wasUsed: boolean): boolean {
  try {
    const isRemoved = removeAccountFile(file)
    // Otherwise the commands would use a profile without an account.
    if (wasUsed) keepCurrentProfile(accountFile(), DEFAULT_PROFILE)
    return isRemoved
  } catch (error) {
    throw explain(error, `cannot remove ${file}`, 'Remove it by hand: it holds a token')
  }
}

/** Ends the sign-in; returns the end of a line about it. A gateway that does not answer does not prevent the logout. */
async function endedSignIn(profile: string): Promise<string> {
  try {
    if (storedIfUsable(profile)?.signed_in !== true) return ''
    await endSignIn(readAccount(profile))
    return ', and ended the sign-in'
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof Failure)) throw error
    return `; the gateway accepts the token until it expires: ${oneLine(error.message)}`
  }
}

/** Undefined for a file that cannot be used: it is removed as well. */
function storedIfUsable(profile: string): StoredAccount | undefined {
  try {
    return storedAccount(profile)
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}
