import { lstatSync, rmSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { decodeUtf8, FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { AccountError, writeOwnFile } from './own-file.ts'

const LONGEST_FILE = 1024 * 1024
const OTHERS = 0o077

/** What `login` stores. Addresses are as the user gave them. */
const Stored = v.object({
  api_url: v.string(),
  grpc_url: v.optional(v.string()),
  token: v.string(),
  /** Whether the token came from a sign-in, which logout ends. */
  signed_in: v.optional(v.boolean()),
  allow_plaintext: v.optional(v.boolean()),
  /** In the form of HOOP_TLSCA, with absolute paths. */
  tls_ca: v.optional(v.string()),
  tls_server_name: v.optional(v.string()),
  tls_skip_verify: v.optional(v.boolean()),
})

export type StoredAccount = Readonly<v.InferOutput<typeof Stored>>

/** `$XDG_CONFIG_HOME/runbook-agent/account.json`, or below `~/.config`. */
export function accountPath(env: NodeJS.ProcessEnv, home: string): string {
  const configured = env['XDG_CONFIG_HOME']
  // The XDG specification says to ignore a relative path.
  const base = configured && path.isAbsolute(configured) ? configured : path.join(home, '.config')
  return path.join(base, 'runbook-agent', 'account.json')
}

/** Undefined when nobody has signed in. @throws AccountError when others can read the file, or another user owns it */
export function readAccountFile(file: string): StoredAccount | undefined {
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  const again = `Remove it and sign in again: runbook-agent logout, then runbook-agent login`
  if (!found.isFile()) throw new AccountError(`${file} is not a regular file. ${again}`)
  if (found.uid !== process.geteuid?.()) throw new AccountError(`${file} belongs to another user. ${again}`)
  if ((found.mode & OTHERS) !== 0)
    throw new AccountError(
      `${file} can be read by others (mode ${(found.mode & 0o777).toString(8)}), and it holds your token: chmod 600 ${file}, and get a new token if others use this machine`,
    )
  const stored = v.safeParse(Stored, parse(file))
  if (!stored.success) throw new AccountError(`${file} is not what login writes. ${again}`)
  return stored.output
}

function parse(file: string): unknown {
  try {
    return JSON.parse(decodeUtf8(readSmallFile(file, LONGEST_FILE).bytes))
  } catch (error) {
    if (error instanceof FileRefused) throw new AccountError(`${file} ${error.message}`)
    return undefined
  }
}

/** A reader sees either the old account or the new one. @throws the file system's error */
export function writeAccountFile(file: string, account: StoredAccount): void {
  writeOwnFile(file, `${JSON.stringify(account, undefined, 2)}\n`)
}

/** @returns whether there was a file */
export function removeAccountFile(file: string): boolean {
  const found = lstatSync(file, { throwIfNoEntry: false })
  rmSync(file, { force: true })
  return found !== undefined
}
