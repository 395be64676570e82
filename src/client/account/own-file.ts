import { chmodSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** An account that cannot be used. The message has the fault and a remedy, and no secret. */
export class AccountError extends Error {
  override readonly name = 'AccountError'
}

/** Writes a private file in one step: a reader sees all of the old file or of the new one. */
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

/** Closes the folder to others: a writer could make this program send its token to another gateway. */
function claim(folder: string): void {
  if (lstatSync(folder).uid !== process.geteuid?.())
    throw new AccountError(`${folder} belongs to another user: set XDG_CONFIG_HOME to a folder of your own`)
  chmodSync(folder, 0o700)
}
