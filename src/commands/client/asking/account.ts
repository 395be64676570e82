import { homedir } from 'node:os'
import { didYouMean } from '../../../basics/text/nearest.ts'
import {
  accountPath,
  readAccountFile,
  type StoredAccount,
  currentProfile,
  DEFAULT_PROFILE,
  isProfileName,
  profileFile,
  profileNames,
} from '../../../client/account/account-file.ts'
import { findAccount, type Account } from '../../../client/account/account.ts'
import { exitCodes, Failure } from '../../exit-codes.ts'
import { clientFailure } from '../report/failures.ts'

export interface Profile {
  readonly name: string
  /** The path of the account file, which may not exist. */
  readonly file: string
  /**
   * True if the flag or the variable names the profile. Otherwise `use` has selected it, or it is the default
   * profile.
   */
  readonly isNamed: boolean
}

export const PROFILE_VARIABLE = 'RUNBOOK_AGENT_PROFILE'
/** These variables are ignored if a flag or variable names a profile. */
export const ACCOUNT_VARIABLES = ['HOOP_APIURL', 'HOOP_GRPCURL', 'HOOP_TOKEN'] as const
const TRUST_VARIABLES = [
  'HOOP_TLSCA',
  'HOOP_TLSSERVERNAME',
  'HOOP_TLS_SKIP_VERIFY',
  'RUNBOOK_AGENT_ALLOW_PLAINTEXT',
] as const

/**
 * Returns the path of the default profile's account file. The files of the other profiles are in the same
 * folder.
 */
export function accountFile(): string {
  return accountPath(process.env, homedir())
}

/**
 * Returns the profile that the flag, the variable, or `use` names, in this order.
 * @throws Failure for an invalid name
 */
export function chosenProfile(flag: string | undefined): Profile {
  const inEnv = process.env[PROFILE_VARIABLE]
  const named = flag ?? (inEnv === '' ? undefined : inEnv)
  const source = flag === undefined ? PROFILE_VARIABLE : '--profile'
  if (named !== undefined) checkProfileName(named, source)
  const file = accountFile()
  try {
    const name = named ?? currentProfile(file)
    return { name, file: profileFile(file, name), isNamed: named !== undefined }
  } catch (error) {
    throw clientFailure(error, '')
  }
}

/** @throws Failure, exit code 64 */
export function checkProfileName(name: string, source: string): void {
  if (isProfileName(name)) return
  throw new Failure(
    `${source}: the name of a profile may have letters, digits, dots, - and _, at most 64 characters`,
    exitCodes.usage,
  )
}

/**
 * @param profile the value of `--profile`
 * @throws Failure with exit code 78 if there is no account or its file is not private, and with 64 for an
 * unknown profile
 */
export function readAccount(profile?: string): Account {
  const chosen = chosenProfile(profile)
  const { name, file, isNamed } = chosen
  try {
    const stored = readAccountFile(file)
    if (stored === undefined) checkMissing(chosen)
    const env = isNamed ? withoutAccount(process.env) : process.env
    return findAccount({ env, stored, file, profile: name === DEFAULT_PROFILE ? undefined : name })
  } catch (error) {
    throw clientFailure(error, '')
  }
}

/**
 * Checks whether the profile's file may be missing. It may for the default profile, or if variables contain
 * the whole account.
 * @throws Failure
 */
function checkMissing({ name, isNamed }: Profile): void {
  if (name === DEFAULT_PROFILE) return
  if (isNamed) throw unknownProfile(name)
  const { HOOP_APIURL, HOOP_TOKEN } = process.env
  if (HOOP_APIURL && HOOP_TOKEN) return
  throw new Failure(
    `the selected profile ${name} is signed out: sign in with runbook-agent login --profile ${name} --api-url https://GATEWAY, or select the default profile with runbook-agent use ${DEFAULT_PROFILE}`,
  )
}

export function unknownProfile(name: string): Failure {
  const meant = didYouMean(name, profileNames(accountFile()))
  const hint =
    meant ??
    `runbook-agent login --profile ${name} --api-url https://GATEWAY creates the profile, runbook-agent use lists all profiles`
  return new Failure(`profile ${name} not found: ${hint}`, exitCodes.usage)
}

function withoutAccount(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const none = [...ACCOUNT_VARIABLES, ...TRUST_VARIABLES].map((variable) => [variable, ''] as const)
  return { ...env, ...Object.fromEntries(none) }
}

/** Returns undefined if the profile is signed out. @throws Failure, exit code 78 */
export function storedAccount(name: string): StoredAccount | undefined {
  try {
    return readAccountFile(profileFile(accountFile(), name))
  } catch (error) {
    throw clientFailure(error, '')
  }
}
