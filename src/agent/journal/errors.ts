/** The file must not be written to. The message says which file, why, and what to do. */
export class JournalFileError extends Error {
  override readonly name = 'JournalFileError'
}
