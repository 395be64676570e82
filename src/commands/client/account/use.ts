import { oneLine } from '../../../basics/text/printable.ts'
import type { ItemColumn } from '../../../basics/text/table.ts'
import { DEFAULT_PROFILE, keepCurrentProfile, profileNames } from '../../../client/account/account-file.ts'
import { explain, Failure } from '../../exit-codes.ts'
import { isJson, type ListingFlags, printList } from '../asking/asking.ts'
import { clientFailure } from '../report/failures.ts'
import {
  ACCOUNT_VARIABLES,
  accountFile,
  checkProfileName,
  chosenProfile,
  PROFILE_VARIABLE,
  storedAccount,
  unknownProfile,
} from '../asking/account.ts'

export interface UseFlags extends Pick<ListingFlags, 'format' | 'json'> {
  readonly quiet?: boolean
}

/** Without a name, lists the profiles. */
export async function useCommand(name: string | undefined, flags: UseFlags): Promise<number> {
  if (name === undefined) return listProfiles(flags)
  choose(name)
  if (flags.quiet !== true) {
    const gateway = storedAccount(name)?.api_url
    const where = gateway === undefined ? '' : `: ${oneLine(gateway)}`
    process.stderr.write(`profile ${name} is selected${where}\n`)
    sayWinning([PROFILE_VARIABLE, ...ACCOUNT_VARIABLES])
  }
  return 0
}

function choose(name: string): void {
  checkProfileName(name, 'use')
  const file = accountFile()
  // The default profile has no file before a login, but can be selected.
  if (name !== DEFAULT_PROFILE && !profileNames(file).includes(name)) throw unknownProfile(name)
  try {
    keepCurrentProfile(file, name)
  } catch (error) {
    if (error instanceof Error && 'syscall' in error)
      throw explain(error, `cannot write in the folder of ${file}`, 'Set XDG_CONFIG_HOME to another folder')
    throw clientFailure(error, `cannot use ${name}`)
  }
}

interface KnownProfile {
  readonly name: string
  readonly current: boolean
  /** Null if the account file is unusable. */
  readonly api_url: string | null
  readonly problem?: string
}

async function listProfiles(flags: UseFlags): Promise<number> {
  const current = chosenProfile(undefined).name
  const profiles = profileNames(accountFile()).map((name) => known(name, current))
  if (profiles.length === 0 && !isJson(flags))
    process.stderr.write('no profile is signed in: runbook-agent login --api-url https://GATEWAY\n')
  else
    await printList(
      flags,
      COLUMNS,
      profiles.map((profile) => ({ ...profile, raw: profile })),
    )
  if (flags.quiet !== true) sayWinning(process.env[PROFILE_VARIABLE] ? [] : ACCOUNT_VARIABLES)
  return 0
}

function known(name: string, currentName: string): KnownProfile {
  const current = name === currentName
  try {
    return { name, current, api_url: storedAccount(name)?.api_url ?? null }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return { name, current, api_url: null, problem: error.message }
  }
}

const COLUMNS: readonly ItemColumn<KnownProfile>[] = [
  { heading: ' ', of: ({ current }) => (current ? '*' : '') },
  { heading: 'PROFILE', of: ({ name }) => name },
  {
    heading: 'GATEWAY',
    shrinks: true,
    of: ({ api_url: gateway, problem = '' }) => gateway ?? `cannot be used: ${problem}`,
  },
]

function sayWinning(variables: readonly string[]): void {
  const winning = variables.filter((variable) => process.env[variable])
  if (winning.length > 0) process.stderr.write(`${winning.join(', ')} in the environment takes precedence\n`)
}
