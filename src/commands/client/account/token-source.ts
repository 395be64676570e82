import type { Account } from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { offersSignIn } from '../../../client/rest/gateway.ts'
import { exitCodes, Failure } from '../../failure.ts'
import { canAsk } from '../terminal/prompts.ts'
import { readToken } from '../input/token.ts'

export interface TokenSourceFlags {
  readonly tokenFile?: string
  /** `--browser`, `--no-browser`; undefined: whichever this machine allows. */
  readonly browser?: boolean
}

export interface FoundToken {
  readonly token: string
  /** Whether the gateway has created the token for this sign-in. */
  readonly isOfSignIn: boolean
}

/**
 * Signs a person in with a browser where the gateway offers it. Otherwise, and with a file or a pipe, reads a token.
 * @param gateway an account whose token is not used @throws Failure, ApiError
 */
export async function findSignInToken(flags: TokenSourceFlags, gateway: Account): Promise<FoundToken> {
  const { tokenFile, browser } = flags
  if (tokenFile !== undefined && browser !== undefined)
    throw new Failure('--token-file and --browser or --no-browser exclude each other', exitCodes.usage)
  const mayAsk = tokenFile === undefined && (browser !== undefined || canAsk())
  if (!mayAsk || !(await isOffered(gateway, browser !== undefined)))
    return { token: await readToken(tokenFile), isOfSignIn: false }
  return { token: await signedIn(gateway, browser ?? hasBrowser(process.env)), isOfSignIn: true }
}

async function isOffered(gateway: Account, isWanted: boolean): Promise<boolean> {
  if (await offersSignIn(gateway).catch(unlessUnknown)) return true
  if (!isWanted) return false
  throw new Failure(
    `${gateway.rest.url} offers no sign-in with a browser: omit --browser and --no-browser`,
    exitCodes.usage,
  )
}

/** A gateway that does not know the question offers no sign-in. */
function unlessUnknown(error: unknown): false {
  if (error instanceof ApiError && error.kind !== 'unreachable') return false
  throw error
}

async function signedIn(gateway: Account, withBrowser: boolean): Promise<string> {
  return withBrowser
    ? (await import('./sign-in.ts')).signInWithBrowser(gateway)
    : (await import('./sign-in.ts')).signInElsewhere(gateway)
}

/**
 * Whether this machine can open a browser. A browser at the other end of ssh would be redirected to the wrong machine.
 */
function hasBrowser({ SSH_CONNECTION, DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv): boolean {
  return !SSH_CONNECTION && (process.platform === 'darwin' || Boolean(DISPLAY ?? WAYLAND_DISPLAY))
}
