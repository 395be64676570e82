/** The file is not one to write to; the message names it, the reason and what to do. */
export class JournalFileError extends Error {
  override readonly name = 'JournalFileError'
}
