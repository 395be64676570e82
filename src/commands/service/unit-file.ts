import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { FileRefused, readSmallFile } from '../../basics/files/small-file.ts'
import { explain, Failure } from '../failure.ts'
import type { Request } from './request.ts'
import { isOurs } from './unit.ts'

/** Of gateway.yaml. */
const MAX_BYTES = 1024 * 1024

/** @throws Failure when there is a file that `renderUnit` has not made */
export function refuseForeign(path: string, force: boolean): void {
  if (force || !existsSync(path) || isOurs(readFileSync(path, 'utf8'))) return
  throw new Failure(
    `${path} was not made by this command, or was changed since: it stays as it is. Move it away, or say --force`,
  )
}

/** @throws Failure */
export function writeUnit(path: string, unit: string): void {
  const passing = `${path}.new`
  try {
    mkdirSync(dirname(path), { recursive: true })
    // Written anew, since the old file may be a link to anything.
    rmSync(passing, { force: true })
    writeFileSync(passing, unit, { mode: 0o644, flag: 'wx' })
    // Renamed, so that systemd never sees half of it.
    renameSync(passing, path)
  } catch (error) {
    rmSync(passing, { force: true })
    throw explain(error, `cannot write ${path}`, 'Run this as root, or with --user')
  }
}

/** @returns a warning, if there is one. @throws Failure when the service could not start with it */
export function checkFile({ file, kind }: Pick<Request, 'file' | 'kind'>): string | undefined {
  try {
    const { mode } = readSmallFile(file, MAX_BYTES)
    return (mode & kind.closedTo) === 0 ? undefined : `${kind.closing} ${file}`
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error
    const { is, remedy, flag } = kind.file
    throw new Failure(`the ${is} ${file} ${error.message}. ${remedy}, or name another with ${flag}`)
  }
}

/** Whether every user can read the file. */
export function isOpenToAll(path: string): boolean {
  const folders: string[] = []
  for (let folder = dirname(path); !folders.includes(folder); folder = dirname(folder)) folders.push(folder)
  return may(path, 0o004) && folders.every((folder) => may(folder, 0o001))
}

function may(path: string, bit: number): boolean {
  return ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & bit) !== 0
}
