import {
  lstatSync,
  rmSync,
  existsSync,
  readdirSync,
  chmodSync,
  mkdirSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { SetUpError } from '../../basics/set-up-error.ts'

const MAX_FILE_BYTES = 1024 * 1024
const OTHERS = 0o077

/** Written by `login`. Addresses are as the user wrote them. */
const Stored = v.object({
  api_url: v.string(),
  grpc_url: v.optional(v.string()),
  token: v.string(),
  /** Whether the token is from a sign-in, so that `logout` must end the sign-in. */
  signed_in: v.optional(v.boolean()),
  allow_plaintext: v.optional(v.boolean()),
  /** The value has the form of HOOP_TLSCA. Its paths are absolute. */
  tls_ca: v.optional(v.string()),
  tls_server_name: v.optional(v.string()),
  tls_skip_verify: v.optional(v.boolean()),
})

export type StoredAccount = Readonly<v.InferOutput<typeof Stored>>

/** Returns `$XDG_CONFIG_HOME/runbook-agent/account.json`, or the same path below `~/.config`. */
export function accountPath(env: NodeJS.ProcessEnv, home: string): string {
  const configured = env['XDG_CONFIG_HOME']
  // According to the XDG specification, relative paths are ignored.
  const base = configured && path.isAbsolute(configured) ? configured : path.join(home, '.config')
  return path.join(base, 'runbook-agent', 'account.json')
}

/**
 * Returns undefined if the user has not signed in.
 * @throws SetUpError when others can read the file, or when it belongs to another user
 */
export function readAccountFile(file: string): StoredAccount | undefined {
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  const again = `Remove the file and sign in again: runbook-agent logout, then runbook-agent login`
  if (!found.isFile()) throw new SetUpError(`${file} is not a regular file. ${again}`)
  if (found.uid !== process.geteuid?.()) throw new SetUpError(`${file} belongs to another user. ${again}`)
  if ((found.mode & OTHERS) !== 0)
    throw new SetUpError(
      `${file} can be read by others (mode ${(found.mode & 0o777).toString(8)}), and it holds your token. Run chmod 600 ${file}, and get a new token if others use this machine`,
    )
  const stored = v.safeParse(Stored, parse(file))
  if (!stored.success) throw new SetUpError(`${file} was not written by login. ${again}`)
  return stored.output
}

function parse(file: string): unknown {
  try {
    return JSON.parse(decodeUtf8(readSmallFile(file, MAX_FILE_BYTES).bytes))
  } catch (error) {
    if (error instanceof FileRefused) throw new SetUpError(`${file} ${error.message}`)
    return undefined
  }
}

/** @throws the file system's error */
export function writeAccountFile(file: string, account: StoredAccount): void {
  writeOwnFile(file, `${JSON.stringify(account, undefined, 2)}\n`)
}

/** @returns whether the file existed */
export function removeAccountFile(file: string): boolean {
  const found = lstatSync(file, { throwIfNoEntry: false })
  rmSync(file, { force: true })
  return found !== undefined
}

// Each profile has its own file, so that parallel logins do not overwrite each other. The default profile has
// the file that older versions, without profiles, have written.

export const DEFAULT_PROFILE = 'default'

const MAX_NAME_CHARACTERS = 64
const NAME = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${MAX_NAME_CHARACTERS - 1}}$`)
const CURRENT = 'current-profile'

export function isProfileName(text: string): boolean {
  return NAME.test(text)
}

/** @param file the account file of the default profile */
export function profileFile(file: string, profile: string): string {
  return profile === DEFAULT_PROFILE ? file : path.join(path.dirname(file), `account.${profile}.json`)
}

export function profileNames(file: string): readonly string[] {
  const folder = path.dirname(file)
  const files = existsSync(folder) ? readdirSync(folder) : []
  const named = files.flatMap((one) => /^account\.(.+)\.json$/.exec(one)?.[1] ?? []).filter(isProfileName)
  return [...(existsSync(file) ? [DEFAULT_PROFILE] : []), ...named.sort()]
}

/** @throws SetUpError when the file does not hold a profile's name */
export function currentProfile(file: string): string {
  const kept = currentFile(file)
  if (!existsSync(kept)) return DEFAULT_PROFILE
  const name = readProfileFile(kept).trim()
  if (isProfileName(name)) return name
  throw new SetUpError(
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

function readProfileFile(kept: string): string {
  try {
    return decodeUtf8(readSmallFile(kept, 2 * MAX_NAME_CHARACTERS).bytes)
  } catch (error) {
    throw error instanceof FileRefused ? new SetUpError(`${kept} ${error.message}`) : error
  }
}

/** Writes in one step: a reader sees the whole old file or the whole new file. */
function writeOwnFile(file: string, text: string): void {
  const folder = path.dirname(file)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  claim(folder)
  const unfinished = path.join(folder, `.account-${process.getBuiltinModule('node:crypto').randomUUID()}`)
  try {
    writeFileSync(unfinished, text, { mode: 0o600, flag: 'wx' })
    renameSync(unfinished, file)
  } finally {
    rmSync(unfinished, { force: true })
  }
}

/**
 * Makes the folder private to this user. Another user who can write to the folder could make this program
 * send its token to another gateway.
 */
function claim(folder: string): void {
  if (lstatSync(folder).uid !== process.geteuid?.())
    throw new SetUpError(`${folder} belongs to another user; set XDG_CONFIG_HOME to a folder of your own`)
  chmodSync(folder, 0o700)
}
