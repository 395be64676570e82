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

/** One of several gateways, with its account file. */
export interface Profile {
  readonly name: string
  /** The account file, which need not exist. */
  readonly file: string
  /**
   * Whether the flag or the variable names the profile. Otherwise `use` has selected it, or it is the
   * default.
   */
  readonly isNamed: boolean
}

export const PROFILE_VARIABLE = 'RUNBOOK_AGENT_PROFILE'
/** The variables of an account. They do not count when a profile is named. */
export const ACCOUNT_VARIABLES = ['HOOP_APIURL', 'HOOP_GRPCURL', 'HOOP_TOKEN'] as const
const TRUST_VARIABLES = [
  'HOOP_TLSCA',
  'HOOP_TLSSERVERNAME',
  'HOOP_TLS_SKIP_VERIFY',
  'RUNBOOK_AGENT_ALLOW_PLAINTEXT',
] as const

/** Returns the account file of the default profile; the files of the other profiles are beside it. */
export function accountFile(): string {
  return accountPath(process.env, homedir())
}

/** Chooses the profile by the flag, the variable, or `use`. @throws Failure for an invalid name */
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
    `${source}: the name of a profile has at most 64 letters, digits, dots, - and _`,
    exitCodes.usage,
  )
}

/**
 * @param profile the value of `--profile`
 * @throws Failure, exit code 78, when nobody has signed in or the file is not private; 64 for an unknown
 * profile
 */
export function readAccount(profile?: string): Account {
  const chosen = chosenProfile(profile)
  const { file, isNamed } = chosen
  try {
    const stored = readAccountFile(file)
    if (stored === undefined) checkMissing(chosen)
    return findAccount({ env: isNamed ? withoutAccount(process.env) : process.env, stored, file })
  } catch (error) {
    throw clientFailure(error, '')
  }
}

/**
 * Allows a missing file for the default profile, and when variables have the whole account.
 * @throws Failure
 */
function checkMissing({ name, isNamed }: Profile): void {
  if (name === DEFAULT_PROFILE) return
  if (isNamed) throw unknownProfile(name)
  const { HOOP_APIURL, HOOP_TOKEN } = process.env
  if (HOOP_APIURL && HOOP_TOKEN) return
  throw new Failure(
    `the selected profile ${name} is signed out: runbook-agent login --profile ${name}, or runbook-agent use ${DEFAULT_PROFILE}`,
  )
}

export function unknownProfile(name: string): Failure {
  const meant = didYouMean(name, profileNames(accountFile()))
  const hint = meant ?? `runbook-agent login --profile ${name} creates it, runbook-agent use lists all`
  return new Failure(`there is no profile ${name}: ${hint}`, exitCodes.usage)
}

function withoutAccount(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const none = [...ACCOUNT_VARIABLES, ...TRUST_VARIABLES].map((variable) => [variable, ''] as const)
  return { ...env, ...Object.fromEntries(none) }
}

/**
 * Returns the stored account of a profile; undefined when nobody has signed in with it.
 * @throws Failure, exit code 78
 */
export function storedAccount(name: string): StoredAccount | undefined {
  try {
    return readAccountFile(profileFile(accountFile(), name))
  } catch (error) {
    throw clientFailure(error, '')
  }
}
