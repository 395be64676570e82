import { resolve } from 'node:path'
import { oneLine } from '../../../basics/text/one-line.ts'
import {
  findAccount,
  isSwitchedOn,
  type Account,
  parseStreamAddress,
} from '../../../client/account/account.ts'
import { writeAccountFile, type StoredAccount, currentProfile } from '../../../client/account/account-file.ts'
import { fetchGrpcUrl, fetchUser } from '../../../client/rest/gateway.ts'
import { ApiError } from '../../../client/rest/api-error.ts'
import { explain, exitCodes, Failure } from '../../failure.ts'
import { clientFailure } from '../report/failures.ts'
import {
  ACCOUNT_VARIABLES,
  accountFile,
  chosenProfile,
  PROFILE_VARIABLE,
  type Profile,
} from '../asking/account-from-env.ts'
import { findSignInToken, type FoundToken, type TokenSourceFlags } from './token-source.ts'

export interface LoginFlags extends TokenSourceFlags {
  readonly apiUrl: string
  readonly grpcUrl?: string
  readonly allowPlaintext?: boolean
  readonly profile?: string
  readonly quiet?: boolean
}

/** The token for requests before there is one. */
const NO_TOKEN: FoundToken = { token: 'none', isOfSignIn: false }

/**
 * `runbook-agent login`: signs in or reads a token, lets the gateway check the token, and stores the account.
 * @throws Failure
 */
export async function loginCommand(flags: LoginFlags): Promise<void> {
  const profile = chosenProfile(flags.profile)
  const { file } = profile
  try {
    const found = await findSignInToken(flags, accountFor(storedOf(flags, NO_TOKEN)))
    const stored = storedOf(flags, found)
    const account = accountFor(stored)
    const { name } = await fetchUser(account)
    const grpcUrl = flags.grpcUrl ?? (await knownGrpcUrl(account))
    if (grpcUrl !== undefined) account.destination(grpcUrl)
    writeAccountFile(file, { ...stored, grpc_url: grpcUrl })
    if (flags.quiet !== true) say({ account, name, grpcUrl }, profile)
  } catch (error) {
    if (isSystemError(error))
      throw explain(error, `cannot write ${file}`, 'Set XDG_CONFIG_HOME to another folder')
    const doing = `cannot sign in to ${oneLine(flags.apiUrl)}`
    if (error instanceof ApiError && error.kind === 'refused')
      throw new Failure(`${doing}: ${error.message}. Is this a token of this gateway?`, exitCodes.refused)
    throw clientFailure(error, doing)
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

/** The account in the form of the file, with the variables for TLS: the next shell may not have them. */
function storedOf({ apiUrl, allowPlaintext }: LoginFlags, { token, isOfSignIn }: FoundToken): StoredAccount {
  const { HOOP_TLSCA, HOOP_TLSSERVERNAME, HOOP_TLS_SKIP_VERIFY } = process.env
  return {
    api_url: apiUrl,
    token,
    signed_in: isOfSignIn ? true : undefined,
    allow_plaintext: allowPlaintext === true ? true : undefined,
    tls_ca: HOOP_TLSCA ? withAbsolutePath(HOOP_TLSCA) : undefined,
    tls_server_name: HOOP_TLSSERVERNAME,
    tls_skip_verify: HOOP_TLS_SKIP_VERIFY ? isSwitchedOn(HOOP_TLS_SKIP_VERIFY) : undefined,
  }
}

function withAbsolutePath(ca: string): string {
  return ca.replace(/^file:\/\/(.*)$/s, (_, name: string) => `file://${resolve(name)}`)
}

/** The account from the stored values alone: variables may name another gateway. */
function accountFor(stored: StoredAccount): Account {
  const env = { ...process.env, HOOP_APIURL: '', HOOP_GRPCURL: '', HOOP_TOKEN: '' }
  return findAccount({ env, stored, file: '--api-url' })
}

/** Undefined when the gateway names no valid address: only `exec` and `connect` need one. */
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
  const streams = grpcUrl === undefined ? '; it announces no address of its streams (--grpc-url)' : ''
  process.stderr.write(`signed in to ${rest.url}${who}; kept in ${profile.file}${streams}\n`)
  if (profile.name !== currentProfile(accountFile()))
    process.stderr.write(
      `for all commands: runbook-agent use ${profile.name}; for one: --profile ${profile.name}\n`,
    )
  const winning = [...ACCOUNT_VARIABLES, PROFILE_VARIABLE].filter((variable) => process.env[variable])
  if (!profile.isNamed && winning.length > 0)
    process.stderr.write(`${winning.join(', ')} in the environment takes precedence\n`)
}
