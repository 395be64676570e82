import { constants } from 'node:os'
import { NO_EXIT_CODE } from '../basics/exit-code.ts'

/** How a command ended. A failed start is also a status, and not an exception. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signaled'; readonly signal: NodeJS.Signals }
  | { readonly kind: 'failed'; readonly cause: Error }

/**
 * Thrown for a program that could not be started. `code` is the errno name (ENOENT, EACCES, E2BIG, EMFILE
 * ...).
 */
export class SpawnError extends Error {
  override readonly name = 'SpawnError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Errors of a program that was found, but that the kernel does not run. */
const NOT_EXECUTABLE = new Set(['EACCES', 'EPERM', 'ENOEXEC', 'E2BIG', 'EISDIR', 'ELOOP', 'ETXTBSY'])

/**
 * Returns the program's own code, 128+n for signal n, 127 if the program was not found, 126 if it cannot be
 * executed, and otherwise `NO_EXIT_CODE`. The result is never below 0, because the gateway reports -1 as a
 * success (protocol.md 0.3).
 */
export function exitCode(status: ExitStatus): number {
  switch (status.kind) {
    case 'exited':
      return status.code
    case 'signaled':
      return 128 + constants.signals[status.signal]
    case 'failed':
      return status.cause instanceof SpawnError ? spawnErrorCode(status.cause.code) : NO_EXIT_CODE
  }
}

function spawnErrorCode(code: string): number {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 127
  return NOT_EXECUTABLE.has(code) ? 126 : NO_EXIT_CODE
}
