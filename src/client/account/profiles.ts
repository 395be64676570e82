import { existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { AccountError, writeOwnFile } from './own-file.ts'

// Several gateways: each profile has an account file of its own, so that two logins at once lose nothing. The default
// profile has the one file that there was before there were profiles.

export const DEFAULT_PROFILE = 'default'

const LONGEST_NAME = 64
const NAME = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${LONGEST_NAME - 1}}$`)
/** The file of `use` beside the account files. */
const CURRENT = 'current-profile'

export function isProfileName(text: string): boolean {
  return NAME.test(text)
}

/** The account file of a profile. @param file the account file of the default profile */
export function profileFile(file: string, profile: string): string {
  return profile === DEFAULT_PROFILE ? file : path.join(path.dirname(file), `account.${profile}.json`)
}

/** The profiles that are signed in, the default first. */
export function profileNames(file: string): readonly string[] {
  const folder = path.dirname(file)
  const files = existsSync(folder) ? readdirSync(folder) : []
  const named = files.flatMap((one) => /^account\.(.+)\.json$/.exec(one)?.[1] ?? []).filter(isProfileName)
  return [...(existsSync(file) ? [DEFAULT_PROFILE] : []), ...named.sort()]
}

/** The profile that `use` has selected. @throws AccountError when its file holds something else */
export function currentProfile(file: string): string {
  const kept = currentFile(file)
  if (!existsSync(kept)) return DEFAULT_PROFILE
  const name = textOf(kept).trim()
  if (isProfileName(name)) return name
  throw new AccountError(
    `${kept} was not written by runbook-agent use. Choose again: runbook-agent use ${DEFAULT_PROFILE}`,
  )
}

/** @throws the file system's error */
export function keepCurrentProfile(file: string, profile: string): void {
  if (profile === DEFAULT_PROFILE) rmSync(currentFile(file), { force: true })
  else writeOwnFile(currentFile(file), `${profile}\n`)
}

function currentFile(file: string): string {
  return path.join(path.dirname(file), CURRENT)
}

function textOf(kept: string): string {
  try {
    return decodeUtf8(readSmallFile(kept, 2 * LONGEST_NAME).bytes)
  } catch (error) {
    throw error instanceof FileRefused ? new AccountError(`${kept} ${error.message}`) : error
  }
}
