/** The file is not one to write to; the message names it, the reason and what to do. */
export class JournalFileError extends Error {
  override readonly name = 'JournalFileError'
}

/** The errno's name, such as EEXIST; empty when the error is not the system's. */
export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
