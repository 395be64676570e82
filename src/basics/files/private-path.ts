import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  type BigIntStats,
  type Stats,
} from 'node:fs'
import { dirname } from 'node:path'

const WRITABLE_BY_OTHERS = 0o022
const ROOT = 0

/** What lies there may be somebody else's doing. The message names the path and the reason. */
export class ForeignPathError extends Error {
  override readonly name = 'ForeignPathError'
}

/**
 * Why what was found (by `lstat`) is not to be trusted, to stand behind its path; undefined when it is of that kind,
 * belongs to this user and, for a folder, takes nothing from others.
 */
export function objectionTo(found: Stats | BigIntStats, kind: 'folder' | 'regular file'): string | undefined {
  if (found.isSymbolicLink()) return 'is a symbolic link'
  if (kind === 'folder' ? !found.isDirectory() : !found.isFile()) return `is not a ${kind}`
  const uid = process.geteuid?.()
  if (uid !== undefined && Number(found.uid) !== uid) return `belongs to uid ${Number(found.uid)}, not ${uid}`
  const isOpen = kind === 'folder' && (Number(found.mode) & WRITABLE_BY_OTHERS) !== 0
  return isOpen ? 'can be written to by other users' : undefined
}

/**
 * Makes what is missing of the folder, 0700, step by step: Node's own recursion never comes back from a place like
 * /proc, where a folder cannot be made and is "not there".
 * @throws the system's error
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  const parent = dirname(folder)
  if (parent !== folder) makeFolder(parent)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another process was faster. What is no folder shows when a file in it is opened.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/**
 * Makes the folder, 0700, or takes one that is there and is this user's alone to write to. A link to it is followed
 * when this user or root has made it. @throws ForeignPathError, or the system's error
 */
export function claimFolder(folder: string): void {
  makeFolder(folder)
  const given = lstatSync(folder)
  if (given.isSymbolicLink() && ![ROOT, process.geteuid?.()].includes(given.uid))
    throw new ForeignPathError(`${folder} is a symbolic link of uid ${given.uid}`)
  const objection = objectionTo(lstatSync(realpathSync(folder)), 'folder')
  if (objection !== undefined) throw new ForeignPathError(`${folder} ${objection}`)
}

/**
 * Closes the file to others, 0600, if it is there. Its folder has to be claimed: nobody else can put a link there
 * then, once it was looked at. @returns false when there is none @throws ForeignPathError
 */
export function claimFile(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return false
  const objection = objectionTo(found, 'regular file')
  if (objection !== undefined) throw new ForeignPathError(`${path} ${objection}`)
  if ((found.mode & 0o777) !== 0o600) chmodSync(path, 0o600)
  return true
}
