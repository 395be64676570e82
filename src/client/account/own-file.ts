import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** The account cannot be used. The message says what is wrong and what to do, without secrets. */
export class AccountError extends Error {
  override readonly name = 'AccountError'
}

/** Writes a file of ours alone, in one step: a reader sees all of the old one or of the new one. */
export function writeOwnFile(file: string, text: string): void {
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

/** Makes the folder ours alone: whoever can write here can make us send our token to another gateway. */
function claim(folder: string): void {
  if (lstatSync(folder).uid !== process.geteuid?.())
    throw new AccountError(`${folder} belongs to another user: set XDG_CONFIG_HOME to a folder of your own`)
  chmodSync(folder, 0o700)
}
