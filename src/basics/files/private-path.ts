import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  statSync,
  type BigIntStats,
  type Stats,
} from 'node:fs'
import { dirname } from 'node:path'

const WRITABLE_BY_OTHERS = 0o022
const ROOT = 0

/** A file or folder that may belong to another user. The message contains path and reason. */
export class ForeignPathError extends Error {
  override readonly name = 'ForeignPathError'
}

/**
 * Returns why a file or folder (found with `lstat`) cannot be trusted, as the end of a sentence about its
 * path. The file or folder must be of the expected kind and belong to this user. Other users may not write to
 * a folder.
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
 * Returns why users other than this user and root could change a file, as the end of a sentence about its
 * path. Follows links. @throws the system's error
 */
export function objectionToWriters(file: string): string | undefined {
  const { uid, mode } = statSync(file)
  const own = process.geteuid?.()
  if (own !== undefined && uid !== ROOT && uid !== own) return `belongs to uid ${uid}: it must belong to root`
  return (mode & WRITABLE_BY_OTHERS) === 0 ? undefined : 'can be written to by other users: chmod go-w'
}

/** `what` is a permission of other users, `advice` a command that removes it. */
interface OpenFile {
  readonly what: string
  readonly advice: string
}

/**
 * Checks whether users other than the file's owner and root can read (or write) it. Follows links, because the
 * secrets of Kubernetes are links. `holds` is the secret in the file, e.g. `the key`. With `isForGroup`, the
 * group may always read.
 * @throws the system's error
 */
export function openToOthers(
  right: 'read' | 'write',
  file: string,
  holds?: string,
  isForGroup = false,
): OpenFile | undefined {
  const { mode, uid } = statSync(file)
  // The owner of a service's file is often root, and the service reads the file as a member of the file's
  // group. Examples: root:runbook-gateway with mode 0640, and fsGroup of Kubernetes.
  const isForService = uid === ROOT && process.geteuid?.() !== ROOT
  const readable = isForGroup || isForService ? 0o004 : 0o044
  if ((mode & (right === 'write' ? WRITABLE_BY_OTHERS : readable)) === 0) return undefined
  return {
    what:
      right === 'write'
        ? `other users can write to the file ${file}`
        : `other users can read ${holds ?? 'what is'} in ${file}`,
    advice: holds === undefined ? `chmod go-w ${file}` : `chmod 600 ${file}`,
  }
}

/**
 * Makes the missing parts of the path (0700), one by one. Node's option `recursive` never returns in a place
 * like /proc, where making a folder fails with "does not exist". @throws the system's error
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  const parent = dirname(folder)
  if (parent !== folder) makeFolder(parent)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another process has made the path at the same time. If it is no folder, opening a file in it will fail.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

/**
 * Makes the folder (0700). An existing folder is accepted if only this user can write to it. Follows a link
 * of this user or root.
 * @throws ForeignPathError, or the system's error
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
 * Makes the file private (0600) if it exists. Returns whether the file exists. Call `claimFolder` first, so
 * that no other user can put a link at this path after the check.
 * @throws ForeignPathError
 */
export function claimFile(path: string): boolean {
  const found = findOwnFile(path)
  if (found === undefined) return false
  if ((found.mode & 0o777) !== 0o600) chmodSync(path, 0o600)
  return true
}

/** Returns the file's `lstat`, or undefined when it is missing. Changes nothing. @throws ForeignPathError */
export function findOwnFile(path: string): Stats | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false })
  const objection = found && objectionTo(found, 'regular file')
  if (objection !== undefined) throw new ForeignPathError(`${path} ${objection}`)
  return found
}
