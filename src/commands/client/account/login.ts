import { resolve } from 'node:path'
import { oneLine } from '../../../basics/text/printable.ts'
import {
  writeAccountFile,
  type StoredAccount,
  currentProfile,
  removeAccountFile,
  DEFAULT_PROFILE,
  keepCurrentProfile,
} from '../../../client/account/account-file.ts'
import {
  findAccount,
  isSwitchedOn,
  type Account,
  parseStreamAddress,
} from '../../../client/account/account.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { fetchGrpcUrl, fetchUser, endSignIn, offersSignIn } from '../../../client/rest/gateway.ts'
import { explain, exitCodes, Failure } from '../../exit-codes.ts'
import {
  ACCOUNT_VARIABLES,
  accountFile,
  chosenProfile,
  PROFILE_VARIABLE,
  type Profile,
  readAccount,
  storedAccount,
  unknownProfile,
} from '../asking/account.ts'
import { readToken } from '../input.ts'
import { clientFailure } from '../report/failures.ts'
import { canAsk } from '../terminal/prompts.ts'

export interface LoginFlags extends TokenSourceFlags {
  /** If undefined, the gateway of the profile. */
  readonly apiUrl?: string
  readonly grpcUrl?: string
  readonly allowPlaintext?: boolean
  readonly profile?: string
  readonly quiet?: boolean
}

/** Used in requests that need no token. */
const NO_TOKEN: FoundToken = { token: 'none', isOfSignIn: false }

/** Checks the token at the gateway before storing it. @throws Failure */
export async function loginCommand(flags: LoginFlags): Promise<void> {
  const profile = chosenProfile(flags.profile)
  const { file } = profile
  const gateway = gatewayOf(flags, profile)
  try {
    const found = await findSignInToken(flags, accountFor(withToken(gateway, NO_TOKEN)))
    const stored = withToken(gateway, found)
    const account = accountFor(stored)
    const { name } = await fetchUser(account)
    const grpcUrl = flags.grpcUrl ?? (await knownGrpcUrl(account)) ?? gateway.grpc_url
    if (grpcUrl !== undefined) account.destination(grpcUrl)
    writeAccountFile(file, { ...stored, grpc_url: grpcUrl })
    if (flags.quiet !== true) say({ account, name, grpcUrl }, profile)
  } catch (error) {
    if (isSystemError(error))
      throw explain(error, `cannot write ${file}`, 'Set XDG_CONFIG_HOME to another folder')
    const doing = `cannot sign in to ${oneLine(gateway.api_url)}`
    if (error instanceof ApiError && error.kind === 'refused')
      throw new Failure(`${doing}: ${error.message}. Is this a token of this gateway?`, exitCodes.refused)
    throw clientFailure(error, doing)
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

type StoredGateway = Omit<StoredAccount, 'token' | 'signed_in'>

/**
 * Returns the gateway of `--api-url`, otherwise the gateway of the profile with what an earlier login stored
 * about it. Also stores the variables for TLS, because the next shell may not have them.
 * @throws Failure if neither names a gateway
 */
function gatewayOf({ apiUrl, allowPlaintext }: LoginFlags, profile: Profile): StoredGateway {
  const known = apiUrl === undefined ? knownGateway(profile) : { api_url: apiUrl }
  const { HOOP_TLSCA, HOOP_TLSSERVERNAME, HOOP_TLS_SKIP_VERIFY } = process.env
  return {
    ...known,
    ...(allowPlaintext === true && { allow_plaintext: true }),
    ...(HOOP_TLSCA && { tls_ca: withAbsolutePath(HOOP_TLSCA) }),
    ...(HOOP_TLSSERVERNAME && { tls_server_name: HOOP_TLSSERVERNAME }),
    ...(HOOP_TLS_SKIP_VERIFY && { tls_skip_verify: isSwitchedOn(HOOP_TLS_SKIP_VERIFY) }),
  }
}

function knownGateway({ name }: Profile): StoredGateway {
  const stored = storedAccount(name)
  if (stored === undefined)
    throw new Failure(
      `profile ${name} has no gateway yet: give the address with --api-url https://GATEWAY`,
      exitCodes.usage,
    )
  const { token: _, signed_in: __, ...gateway } = stored
  return gateway
}

function withToken(gateway: StoredGateway, { token, isOfSignIn }: FoundToken): StoredAccount {
  return { ...gateway, token, signed_in: isOfSignIn ? true : undefined }
}

function withAbsolutePath(ca: string): string {
  return ca.replace(/^file:\/\/(.*)$/s, (_, name: string) => `file://${resolve(name)}`)
}

/** Ignores the environment's variables of an account, because they may name another gateway. */
function accountFor(stored: StoredAccount): Account {
  const env = { ...process.env, HOOP_APIURL: '', HOOP_GRPCURL: '', HOOP_TOKEN: '' }
  return findAccount({ env, stored, file: '--api-url' })
}

/**
 * Returns undefined if the gateway announces no valid address. Only `exec` and `connect` need the address.
 */
async function knownGrpcUrl(account: Account): Promise<string | undefined> {
  try {
    const url = await fetchGrpcUrl(account)
    return url !== undefined && parseStreamAddress(url) !== undefined ? url : undefined
  } catch (error) {
    if (error instanceof ApiError && error.kind === 'not-found') return undefined
    throw error
  }
}

interface SignedIn {
  readonly account: Account
  readonly name: string
  readonly grpcUrl: string | undefined
}

function say({ account: { rest }, name, grpcUrl }: SignedIn, profile: Profile): void {
  const who = name === '' ? '' : ` as ${oneLine(name)}`
  const streams =
    grpcUrl === undefined
      ? '; the gateway announces no gRPC address: for exec and connect, sign in again with --grpc-url'
      : ''
  process.stderr.write(`signed in to ${rest.url}${who}; stored in ${profile.file}${streams}\n`)
  if (profile.name !== currentProfile(accountFile()))
    process.stderr.write(
      `to use the profile for all commands: runbook-agent use ${profile.name}; for one command: --profile ${profile.name}\n`,
    )
  const winning = [...ACCOUNT_VARIABLES, PROFILE_VARIABLE].filter((variable) => process.env[variable])
  if (!profile.isNamed && winning.length > 0)
    process.stderr.write(`${winning.join(', ')} in the environment takes precedence\n`)
}

/**
 * Removes the account file, and ends the sign-in from which the token is. If the token is not from a sign-in,
 * the gateway still accepts the token.
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
    isRemoved ? `signed out: removed ${file}${ended}\n` : `not signed in: ${file} does not exist\n`,
  )
  if (wasUsed) process.stderr.write(`profile ${DEFAULT_PROFILE} is selected again\n`)
}

function removed(file: string, wasUsed: boolean): boolean {
  try {
    const isRemoved = removeAccountFile(file)
    // The selected profile has no account now, so the default profile is selected.
    if (wasUsed) keepCurrentProfile(accountFile(), DEFAULT_PROFILE)
    return isRemoved
  } catch (error) {
    throw explain(error, `cannot remove ${file}`, 'Remove the file yourself, because it contains a token')
  }
}

/**
 * Ends the sign-in at the gateway. If the gateway does not answer, the logout continues. @returns the end of
 * the message
 */
async function endedSignIn(profile: string): Promise<string> {
  try {
    if (storedIfUsable(profile)?.signed_in !== true) return ''
    await endSignIn(readAccount(profile))
    return ', and ended the sign-in'
  } catch (error) {
    if (!(error instanceof ApiError || error instanceof Failure)) throw error
    return `; the gateway did not end the sign-in, so the token stays valid until it expires: ${oneLine(error.message)}`
  }
}

/** Returns undefined for an unusable account file, because logout must remove it too. */
function storedIfUsable(profile: string): StoredAccount | undefined {
  try {
    return storedAccount(profile)
  } catch (error) {
    if (error instanceof Failure) return undefined
    throw error
  }
}

interface TokenSourceFlags {
  readonly tokenFile?: string
  /** If undefined, a browser is used if this machine can open one. */
  readonly browser?: boolean
}

interface FoundToken {
  readonly token: string
  /** The gateway created the token for this sign-in. */
  readonly isOfSignIn: boolean
}

/**
 * Uses a browser if the gateway offers this sign-in and a person can be asked. Otherwise reads a token.
 * @param gateway its token is not used
 * @throws Failure, ApiError
 */
async function findSignInToken(flags: TokenSourceFlags, gateway: Account): Promise<FoundToken> {
  const { tokenFile, browser } = flags
  if (tokenFile !== undefined && browser !== undefined)
    throw new Failure('use only one of --token-file, --browser and --no-browser', exitCodes.usage)
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

/** Returns false if the gateway refuses the request: such a gateway offers no sign-in. */
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
 * Whether a browser can be opened on the person's machine. With ssh, the browser would open on this machine
 * instead.
 */
function hasBrowser({ SSH_CONNECTION, DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv): boolean {
  return !SSH_CONNECTION && (process.platform === 'darwin' || Boolean(DISPLAY ?? WAYLAND_DISPLAY))
}
