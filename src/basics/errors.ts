/** Returns the errno name (`ENOSPC`), for messages that must contain no other details. */
export function errnoOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
  return 'unknown error'
}
