import { accessSync, constants } from 'node:fs'
import { dirname } from 'node:path'
import type { HttpCode } from '../../contract/statuses.ts'
import { RequestRefused } from '../refusals/request-refused.ts'

/** The message says which file, what failed and what to do. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError'
  /**
   * Why the disk accepts no data (full or read-only), in a few words without a path. The same call may work
   * later. Undefined for any other failure.
   */
  readonly noRoom: string | undefined

  constructor(
    message: string,
    { noRoom, ...options }: ErrorOptions & { readonly noRoom?: string | undefined } = {},
  ) {
    super(message, options)
    this.noRoom = noRoom
  }
}

export const READ_ONLY = 'the disk is read-only'

const REMEDIES = [
  ['SQLITE_FULL', 'free some space or lower history.size'],
  ['SQLITE_IOERR_SHM', 'free some space'],
  ['SQLITE_READONLY', 'the disk is read-only; look for the reason in the log of the kernel'],
  [
    'SQLITE_NOTADB',
    'the file is not a history, or its header is damaged; stop the gateway and run: runbook-agent history repair',
  ],
  ['SQLITE_CORRUPT', 'the file is damaged; stop the gateway and run: runbook-agent history repair'],
  [
    'SQLITE_BUSY',
    'another program has locked the file; close that program, or see that it holds the lock for less than 5 s',
  ],
] as const

/** Errors of a disk that accepts no data, with a text that callers without rights may see. */
const NO_ROOM: readonly (readonly [code: RegExp, short: string])[] = [
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)$/, 'the disk is full'],
  [/^(SQLITE_READONLY|EROFS)/, READ_ONLY],
  [/^SQLITE_IOERR_SHM/, 'the disk is full'],
  [/^SQLITE_IOERR_(WRITE|TRUNCATE|FSYNC|DIR_FSYNC)$/, 'the disk refuses writes'],
]

export function historyError(file: string, what: string, cause: unknown): HistoryError {
  const text = `session history ${file}: cannot ${what}: ${reason(cause)}`
  if (cause instanceof HistoryError) return new HistoryError(text, { noRoom: cause.noRoom, cause })
  const noRoom = isNoRoom(cause, file) ? (shortOf(cause) ?? READ_ONLY) : undefined
  return new HistoryError(text, { noRoom, cause })
}

export function hasNoRoom(error: unknown): error is HistoryError {
  return error instanceof HistoryError && error.noRoom !== undefined
}

export function isNoRoom(error: unknown, file: string): boolean {
  if (shortOf(error) !== undefined) return true
  // On a read-only disk SQLite cannot create the log, and reports only this code.
  return code(error).startsWith('SQLITE_CANTOPEN') && isOnReadOnlyDisk(file)
}

/** True if another program has locked the file for a moment. The same call may work later. */
export function isLocked({ cause }: HistoryError): boolean {
  return cause instanceof HistoryError ? isLocked(cause) : isBusy(cause)
}

/** As `isLocked`, for an error of SQLite. */
export function isBusy(error: unknown): boolean {
  return code(error).startsWith('SQLITE_BUSY')
}

export function code(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const [, remedy] = REMEDIES.find(([prefix]) => code(error).startsWith(prefix)) ?? []
  return remedy === undefined ? text : `${text}; ${remedy}`
}

function shortOf(error: unknown): string | undefined {
  return NO_ROOM.find(([pattern]) => pattern.test(code(error)))?.[1]
}

function isOnReadOnlyDisk(file: string): boolean {
  try {
    accessSync(dirname(file), constants.W_OK)
    return false
  } catch (error) {
    return code(error) === 'EROFS'
  }
}

/** Returns the code of an error that callers may see. Returns undefined for a bug. */
export function refusedCode(error: Error): HttpCode | undefined {
  if (error instanceof RequestRefused) return error.code
  if (!(error instanceof HistoryError)) return undefined
  return error.noRoom === undefined ? 'history-failed' : 'history-no-room'
}
