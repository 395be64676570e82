/** A backup that cannot be used, or made. The message says why, as the end of a sentence about it. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}
