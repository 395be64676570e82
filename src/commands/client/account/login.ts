import { resolve } from 'node:path'
import { oneLine } from '../../../basics/text/one-line.ts'
import { findAccount, isSwitchedOn, type Account } from '../../../client/account/account.ts'
import {
  writeAccountFile,
  type StoredAccount,
  removeAccountFile,
} from '../../../client/account/account-file.ts'
import { currentProfile, DEFAULT_PROFILE, keepCurrentProfile } from '../../../client/account/profiles.ts'
import { parseStreamAddress } from '../../../client/account/address.ts'
import { fetchGrpcUrl, fetchUser } from '../../../client/account/server-info.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { explain, exitCodes, Failure } from '../../failure.ts'
import { clientFailure } from '../failures.ts'
import {
  ACCOUNT_VARIABLES,
  accountFile,
  chosenProfile,
  PROFILE_VARIABLE,
  unknownProfile,
  type Profile,
} from './account-from-env.ts'
import { readToken } from './token.ts'

export interface LoginFlags {
  readonly apiUrl: string
  readonly grpcUrl?: string
  readonly tokenFile?: string
  readonly allowPlaintext?: boolean
  readonly profile?: string
  readonly quiet?: boolean
}

/** `runbook-agent login`: asks the gateway whether it accepts the token, and stores both. @throws Failure */
export async function loginCommand(flags: LoginFlags): Promise<void> {
  const profile = chosenProfile(flags.profile)
  const { file } = profile
  const stored = storedOf(flags, await readToken(flags.tokenFile))
  try {
    const account = accountFor(stored)
    const { name } = await fetchUser(account)
    const grpcUrl = flags.grpcUrl ?? (await knownGrpcUrl(account))
    if (grpcUrl !== undefined) account.destination(grpcUrl)
    writeAccountFile(file, { ...stored, grpc_url: grpcUrl })
    if (flags.quiet !== true) say({ account, name, grpcUrl }, profile)
  } catch (error) {
    if (isSystemError(error))
      throw explain(error, `cannot write ${file}`, 'Choose another folder with XDG_CONFIG_HOME')
    const doing = `cannot sign in to ${oneLine(flags.apiUrl)}`
    if (error instanceof ApiError && error.kind === 'refused')
      throw new Failure(`${doing}: ${error.message}. Is this a token of this gateway?`, exitCodes.refused)
    throw clientFailure(error, doing)
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

/** The account in the form of the file. It includes what TLS needs: the next shell may not have these variables. */
function storedOf({ apiUrl, allowPlaintext }: LoginFlags, token: string): StoredAccount {
  const { HOOP_TLSCA, HOOP_TLSSERVERNAME, HOOP_TLS_SKIP_VERIFY } = process.env
  return {
    api_url: apiUrl,
    token,
    allow_plaintext: allowPlaintext === true ? true : undefined,
    tls_ca: HOOP_TLSCA ? withAbsolutePath(HOOP_TLSCA) : undefined,
    tls_server_name: HOOP_TLSSERVERNAME,
    tls_skip_verify: HOOP_TLS_SKIP_VERIFY ? isSwitchedOn(HOOP_TLS_SKIP_VERIFY) : undefined,
  }
}

function withAbsolutePath(ca: string): string {
  return ca.replace(/^file:\/\/(.*)$/s, (_, name: string) => `file://${resolve(name)}`)
}

/** The account from what will be stored, and nothing else: variables may name another gateway. */
function accountFor(stored: StoredAccount): Account {
  const env = { ...process.env, HOOP_APIURL: '', HOOP_GRPCURL: '', HOOP_TOKEN: '' }
  return findAccount({ env, stored, file: '--api-url' })
}

/** Undefined when the gateway names none or an invalid one: only `exec` and `connect` need it. */
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
  const streams = grpcUrl === undefined ? '; it does not say where its streams are (--grpc-url)' : ''
  process.stderr.write(`signed in to ${rest.url}${who}; kept in ${profile.file}${streams}\n`)
  if (profile.name !== currentProfile(accountFile()))
    process.stderr.write(
      `for all commands: runbook-agent use ${profile.name}; for one: --profile ${profile.name}\n`,
    )
  const winning = [...ACCOUNT_VARIABLES, PROFILE_VARIABLE].filter((variable) => process.env[variable])
  if (!profile.isNamed && winning.length > 0)
    process.stderr.write(`${winning.join(', ')} in the environment wins over it\n`)
}

/** `runbook-agent logout`: forgets the token. The gateway still accepts it. */
export function logoutCommand(flags: { readonly profile?: string; readonly quiet?: boolean }): void {
  const { name, file, isNamed } = chosenProfile(flags.profile)
  const wasUsed = name !== DEFAULT_PROFILE && name === currentProfile(accountFile())
  let removed: boolean
  try {
    removed = removeAccountFile(file)
    // Otherwise the commands would be for an account that is not there.
    if (wasUsed) keepCurrentProfile(accountFile(), DEFAULT_PROFILE)
  } catch (error) {
    throw explain(error, `cannot remove ${file}`, 'Remove it by hand: it holds a token')
  }
  if (!removed && isNamed && name !== DEFAULT_PROFILE) throw unknownProfile(name)
  if (flags.quiet === true) return
  process.stderr.write(removed ? `signed out: removed ${file}\n` : `not signed in: there is no ${file}\n`)
  if (wasUsed) process.stderr.write(`the commands are for profile ${DEFAULT_PROFILE} again\n`)
}
